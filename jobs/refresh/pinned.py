"""The judge of a run, pinned: the same models for a run with another student."""

from negmine.jobs.mining.manifest import judge_models
from negmine.jobs.mining.models import cross_encoder_weights, student_weights
from negmine.jobs.runs.published import Run
from negmine.schemas import JsonObject
from negmine.schemas.config import Config, Student
from negmine.schemas.errors import ConfigError
from negmine.schemas.judges import CrossEncoder, Fusion

_OF_STUDENT = ("fusion", "late_interaction")
"""Kinds that take the student's model where they name none."""

_TAKEN = ("max_length", "device", "query_prompt", "document_prompt", "precision", "backend")
"""What such a judge takes of the student's settings where it has none of its own."""


def pinned(judge: JsonObject, student: JsonObject) -> JsonObject:
    """The judge section of a config with every model named that it took from the student.

    A manifest's config has every key, so a key at its default counts as not given.
    """
    made = dict(judge)
    if isinstance(made.get("judges"), list):
        made["judges"] = [pinned(part, student) for part in made["judges"]]
    if isinstance(made.get("fallback"), dict):
        made["fallback"] = pinned(made["fallback"], student)
    of_student = made.get("model") is None or (
        made["model"] == student.get("model")
        and not (student.get("vectors") or student.get("models"))
    )
    if made.get("kind") in _OF_STUDENT and of_student:
        defaults = {name: field.default for name, field in Student.model_fields.items()}
        made["model"] = student.get("model") or defaults["model"]
        for key in _TAKEN:
            if made.get(key, defaults[key]) == defaults[key] and key in student:
                made[key] = student[key]
    return made


def check_pinned(parent: Run, config: Config) -> None:
    """Raise ConfigError where a model that judges has other weights than when the parent was mined.

    So it is where a trainer wrote the new checkpoint into the folder of the old one.
    """
    known = parent.manifest.get("models") or {}
    readers = iter([j for j in config.judge.flat() if isinstance(j, CrossEncoder)])
    for name, encoder in judge_models(config):
        before = known.get(name, known.get("student"))
        weights = cross_encoder_weights(next(readers)) if encoder is None else None
        found = weights or student_weights(encoder or config.student)
        if before and found.digest != before:
            raise ConfigError(
                f"the judge cannot be pinned: {found.name} has other weights than when run "
                f"{parent.run_id} was mined. Name the folder of the old ones with --set "
                "judge.model=FOLDER, or have the new student judge with --judge checkpoint"
            )


def follows_student(config: Config) -> bool:
    """Whether a judge reads the student's similarity whatever its own model is."""
    return any(isinstance(judge, Fusion) for judge in config.judge.flat())
