"""The config of a refresh: that of the parent run, with a new student."""

from copy import deepcopy
from pathlib import Path

from negmine.jobs.load_config import config_of
from negmine.jobs.refresh.pinned import pinned
from negmine.jobs.refresh.request import Request
from negmine.jobs.runs.config_note import noted_config
from negmine.jobs.runs.published import Run
from negmine.jobs.runs.trust import vouched
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError
from negmine.schemas.judges import BiEncoder
from negmine.transforms import storage

_RUNS_CODE = ("trust_remote_code", "allow_pickle")


def refresh_config(parent: Run, request: Request) -> Config:
    """The config that the parent is mined again with.

    What could run code of others (`trust_remote_code`, `allow_pickle`, `runner.options`) is not
    taken from a run and has to be set again. Raises ConfigError where the run says too little, or
    the request does not fit it.
    """
    values = noted_config(parent) or deepcopy(parent.manifest.get("config") or {})
    if not isinstance(values.get("input"), dict) or not isinstance(values.get("student"), dict):
        raise ConfigError(
            f"run {parent.run_id} was published by an older negmine, which kept no whole config; "
            "mine it again with negmine mine and its config file, and refresh that run"
        )
    _without_code(values)
    tiers = values.get("tiers") or {}
    # JSON files have sorted keys, and the order of tiers decides.
    if tiers:
        values["tiers"] = {name: tiers[name] for name in parent.quotas if name in tiers}
    student = values["student"]
    _check_students(parent, request, student)
    if isinstance(values.get("judge"), dict):
        values["judge"] = pinned(values["judge"], student)
    if len(request.students) == 1:
        student.update(model=request.students[0], models=[])
    elif request.students:
        student["models"] = list(request.students)
    values["output"] = _output(parent, request, values.get("output") or {})
    name = f"the config of run {parent.run_id}"
    own = deepcopy(values)
    try:
        config = config_of(values, name, request.settings, request.output)
    except ConfigError as error:
        raise _explained(error, own, name) from None
    if request.judge == "pinned":
        return config
    return config.model_copy(update={"judge": _checkpoints(config)})


def _explained(error: ConfigError, own: JsonObject, name: str) -> ConfigError:
    """The error of a config with settings; with what it comes of where the config itself has it."""
    try:
        config_of(own, name)
    except ConfigError:
        return ConfigError(
            f"{error}; an older negmine wrote this config: put it right with --set KEY=VALUE, or "
            "mine it again from its file"
        )
    return error


def _without_code(values: object) -> None:
    if isinstance(values, list):
        for entry in values:
            _without_code(entry)
    if not isinstance(values, dict):
        return
    for key, entry in values.items():
        if key in _RUNS_CODE:
            values[key] = False
        elif key == "runner" and isinstance(entry, dict):
            entry["options"] = {}
        else:
            _without_code(entry)


def _check_students(parent: Run, request: Request, student: JsonObject) -> None:
    vectors = request.sets("student.vectors")
    if student.get("vectors") and not vectors:
        raise ConfigError(
            f"run {parent.run_id} was mined with vectors that were given (student.vectors); give "
            "those of the new model with --set student.vectors.documents=FILE "
            "--set student.vectors.queries=FILE"
        )
    if vectors and request.students:
        raise ConfigError("give --student CHECKPOINT or --set student.vectors, not both")
    if not vectors and not request.students:
        raise ConfigError("give the new student: --student CHECKPOINT, a folder with its weights")
    if request.judge == "checkpoint" and request.sets("judge"):
        raise ConfigError(
            "--judge checkpoint and --set judge both say who judges; leave out one of them"
        )
    if vectors and request.judge == "checkpoint":
        raise ConfigError("--judge checkpoint needs --student CHECKPOINT: vectors judge nothing")


def _output(parent: Run, request: Request, before: JsonObject) -> JsonObject:
    """The parent's output and work directory, and no name of a run."""
    if parent.path.parent.name != "runs" and request.output is None:
        raise ConfigError(
            f"{parent.path} lies in no output folder; say with --output DIR where to publish"
        )
    made = {key: before[key] for key in ("texts",) if key in before}
    made["path"] = _named(parent.output)
    if vouched(parent.workdir, parent.output):
        made["workdir"] = _named(parent.workdir)
    return made


def _named(path: Path) -> str:
    return str(storage.url_of(path) or path)


def _checkpoints(config: Config) -> BiEncoder:
    """The new student as judge, its settings included; one model a fold where there are several."""
    student = config.student
    prompts = ("query_prompt", "document_prompt")
    keys = ("max_length", "device", *_RUNS_CODE, *prompts, "precision", "backend")
    own = {key: getattr(student, key) for key in keys}
    named = {"models": student.models} if student.models else {"model": student.model}
    return BiEncoder.model_validate({**own, **named})
