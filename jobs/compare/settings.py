"""What differs in what two runs were made with: config, policies, inputs, models, versions."""

from collections import Counter
from contextlib import suppress

from negmine.jobs.compare.read import TwoRuns
from negmine.jobs.compare.result import PolicyChange, Queries, Setting
from negmine.jobs.runs.published import Run
from negmine.schemas import JsonObject
from negmine.schemas.judges import of_its_kind
from negmine.transforms import storage

_NOT_SETTINGS = ("output.run_id",)
_INPUTS = ("inputs", "models", "precision", "seed", "schema_version", "versions", "processor")
_LATER = ("processor", "precision.student_dtype", "precision.judge")


def flatten(value: object, prefix: str = "") -> JsonObject:
    """Values by dotted key; lists are values, and so are empty objects."""
    if not isinstance(value, dict) or not value:
        return {prefix: value} if prefix else {}
    found: JsonObject = {}
    for key, entry in value.items():
        found |= flatten(entry, f"{prefix}.{key}" if prefix else str(key))
    return found


def _differing(a: JsonObject, b: JsonObject) -> list[Setting]:
    keys = sorted(set(a) | set(b))
    return [Setting(k, a.get(k), b.get(k)) for k in keys if a.get(k) != b.get(k)]


def config(a: Run, b: Run) -> list[Setting]:
    """Keys of the resolved configs that differ, without the policies and the run's own name."""
    found = []
    for run in (a, b):
        values = {k: v for k, v in _config(run).items() if k != "policies"}
        flat = flatten(values)
        found.append({k: v for k, v in flat.items() if k not in _NOT_SETTINGS})
    return _differing(*found)


def inputs(a: Run, b: Run) -> list[Setting]:
    """Fingerprints of the inputs, digests of the models, precision, seed, versions, processor.

    What older runs do not know, such as the processor, only where both have it.
    """
    flat = [flatten({name: run.manifest.get(name) for name in _INPUTS}) for run in (a, b)]
    found = _differing(*flat)
    return [s for s in found if not s.key.startswith(_LATER) or all(s.key in f for f in flat)]


def policies(a: Run, b: Run) -> list[PolicyChange]:
    """Policies that only one run has, and those whose parameters or order differ.

    A policy listed twice is matched in order. Parameters include calibrated thresholds.
    """
    lists = [_policies(run) for run in (a, b)]
    places = [{key: at for at, key in enumerate(entries, 1)} for entries in lists]
    common = [[key for key in entries if key in lists[1 - n]] for n, entries in enumerate(lists)]
    found = []
    for key in dict.fromkeys([*lists[0], *lists[1]]):
        in_a, in_b = (entries.get(key) for entries in lists)
        moved = key in common[0] and common[0].index(key) != common[1].index(key)
        if in_a != in_b or moved:
            place_a, place_b = (entries.get(key) for entries in places)
            found.append(PolicyChange(key[0], place_a, place_b, in_a, in_b))
    return found


def _policies(run: Run) -> dict[tuple[str, int], JsonObject]:
    entries = run.manifest.get("policies") or _config(run).get("policies") or []
    seen: Counter[str] = Counter()
    found = {}
    for name, parameters in (item for entry in entries for item in entry.items()):
        found[name, seen[name]] = dict(parameters or {})
        seen[name] += 1
    return found


def _config(run: Run) -> JsonObject:
    found = dict(run.manifest.get("config") or {})
    if isinstance(found.get("judge"), dict):
        with suppress(ValueError):
            found["judge"] = of_its_kind(found["judge"])
    return found


def same_student(a: Run, b: Run) -> bool:
    """Whether both took their similarities from the same weights, prompts and normalisation."""
    return _model(a, "student") == _model(b, "student")


def same_judge(a: Run, b: Run) -> bool:
    """Whether the same judge scored both; judges may use the student's vectors."""
    return same_student(a, b) and _model(a, "judge") == _model(b, "judge")


def _model(run: Run, section: str) -> tuple[JsonObject, JsonObject]:
    models = run.manifest.get("models") or {}
    named = {k: v for k, v in (_config(run).get(section) or {}).items() if k != "device"}
    digests = {k: v for k, v in models.items() if (k == "student") == (section == "student")}
    if section == "student" and digests:
        named.pop("model", None)
    return named, digests


def warnings(runs: TwoRuns, queries: Queries) -> list[str]:
    """What keeps the two from being compared in full."""
    a, b = runs.runs.values()
    found = []
    if a.manifest.get("inputs") != b.manifest.get("inputs"):
        found.append(
            "the inputs differ: queries and documents are compared by their identifiers, so make "
            "sure that an identifier means the same in both"
        )
    if not queries.both:
        found.append("the runs have no query in common: only settings, counts and metrics compare")
    elif queries.only_a or queries.only_b:
        found.append(
            f"overlap and paired metrics are over the {queries.both:,} queries of both runs; "
            f"{queries.only_a:,} are only in A and {queries.only_b:,} only in B"
        )
    if not same_student(a, b):
        found.append("the students differ: S, Δ and ECI are not on one scale")
    if not same_judge(a, b):
        found.append("the judges differ: judge margins and rates are not on one scale")
    kinds = [setting for setting in inputs(a, b) if setting.key.startswith("processor.")]
    if kinds:
        told = ", ".join(f"{setting.key} {setting.a} in A, {setting.b} in B" for setting in kinds)
        found.append(
            f"the runs were made on different kinds of processor ({told}): last digits of vectors "
            "and scores differ by that alone, and with them now and then a rank or a verdict"
        )
    for side, run in (("A", a), ("B", b)):
        if not storage.is_file(run.path / "metrics.parquet"):
            found.append(f"run {side} has no metrics.parquet (an older run): the rest is compared")
    return found
