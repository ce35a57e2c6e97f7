"""The list of policies that a config stands for: defaults, what is asked for, and the promises."""

from collections.abc import Mapping, Sequence

from negmine.schemas import JsonObject
from negmine.schemas.policies import PARAMETERS, Policy, needs_judge

PROMISES = ("known_positive", "query_itself", "same_text", "evaluation_document")
"""Policies that are in force whatever a config says, before all others and in this order."""
_DEFAULTS: JsonObject = {"near_duplicate_of_positive": {}, "near_duplicate_of_negative": {}}
_JUDGED_DEFAULTS: JsonObject = {
    "suspected_positive": {},
    "judge_calibrated_threshold": {},
    "judge_relative_margin": {"keep_below": 1.0, "against": "max"},
}
"""Below the query's best positive, and below what half of all positives reach: docs/gain.md."""


def is_off(value: object) -> bool:
    """Whether a policy's value in a config switches it off; YAML reads a bare `off` as false."""
    return value is False or (isinstance(value, str) and value == "off")


def asked_policies(asked: object, judged: bool) -> object:
    """The list that a config's `policies` stands for; the promises are not put in yet.

    Nothing stands for the defaults, a list for itself, a mapping for the defaults with those that
    it names set anew, added, or switched off.

    Args:
        asked: as in the config.
        judged: whether there is a judge.

    Raises:
        ValueError: a promise is switched off, or anything in a list.
    """
    if asked is None or isinstance(asked, Mapping):
        return _changed_defaults(asked or {}, _DEFAULTS | (_JUDGED_DEFAULTS if judged else {}))
    for entry in asked if isinstance(asked, (list, tuple)) else ():
        for name, value in entry.items() if isinstance(entry, Mapping) else ():
            if is_off(value):
                _refuse_off(name)
                raise ValueError(
                    f"policies: a list replaces the default policies, so leave {name} out of it; "
                    f"to change the defaults by name write a mapping, policies: {{{name}: off}}"
                )
    return asked


def _changed_defaults(asked: Mapping[str, object], defaults: JsonObject) -> list[JsonObject]:
    found = dict(defaults)
    for name, value in asked.items():
        if name not in PARAMETERS or not (value is None or is_off(value)):
            found[name] = value
            continue
        _refuse_off(name)
        # As for a source, null is off: nothing else could be meant by it of what is on by default.
        if value is None and name not in (*_DEFAULTS, *_JUDGED_DEFAULTS):
            raise ValueError(
                f"policies.{name}: null says too little; write {name}: {{}} for its default "
                f"parameters, or {name}: off"
            )
        found.pop(name, None)
    return [{name: found[name]} for name in sorted(found, key=_cost)]


def _cost(name: str) -> int:
    """0 for what costs nothing to test, 1 for what the judge is asked for, 2 for added later."""
    parameters = PARAMETERS.get(name)
    if name in _DEFAULTS or (parameters and parameters.of_student):
        return 0
    return 1 if name in _JUDGED_DEFAULTS else 2


def _refuse_off(name: str) -> None:
    if name in PROMISES:
        raise ValueError(
            f"policies.{name} cannot be switched off: {', '.join(PROMISES)} are promises of every "
            "run; the other policies can be"
        )


def with_promises(policies: Sequence[Policy]) -> tuple[Policy, ...]:
    """The promises, with the parameters that the list gives them, and then the rest of the list.

    Raises ValueError where the list has a promise twice with different parameters, or counts what
    a judge leaves.
    """
    given: dict[str, Policy] = {}
    for policy in policies:
        if policy.name in PROMISES and given.setdefault(policy.name, policy) != policy:
            raise ValueError(f"policy {policy.name} stands twice with different parameters")
    _counts_before_the_judge(policies)
    promised = [given.get(name) or Policy.model_validate(name) for name in PROMISES]
    return (*promised, *(policy for policy in policies if policy.name not in PROMISES))


def _counts_before_the_judge(policies: Sequence[Policy]) -> None:
    judged = ""
    for policy in policies:
        if policy.name == "student_range" and judged:
            raise ValueError(
                f"student_range counts what the policies before it leave, and {judged} before it "
                f"needs the judge, which would have to read every candidate; put it above {judged}"
            )
        judged = judged or (policy.name if needs_judge(policy) else "")
