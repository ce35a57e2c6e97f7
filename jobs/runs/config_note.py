"""The whole config of a run, in the work directory; a manifest has last names of paths only."""

import hashlib
import os
from pathlib import Path

from negmine.jobs.runs.published import Run
from negmine.jobs.runs.trust import vouched
from negmine.schemas import JsonObject
from negmine.transforms import storage
from negmine.transforms.storage.atomic import write_json

_FOLDER = ".configs"


def shareable(config: JsonObject) -> JsonObject:
    """JSON values of a config with absolute paths cut to their last name."""
    return {key: _shareable(entry) for key, entry in config.items()}


def _shareable(value: object) -> object:
    if isinstance(value, dict):
        return shareable(value)
    if isinstance(value, list):
        return [_shareable(entry) for entry in value]
    if isinstance(value, str) and (os.path.isabs(value) or value.startswith("~")):
        return os.path.basename(value.rstrip("/"))
    return value


def _note(workdir: Path, run: Path) -> Path:
    place = storage.url_of(run) or run.resolve()
    return workdir / _FOLDER / f"{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}.json"


def note_config(workdir: Path, run: Path, config: JsonObject) -> None:
    """Keep the config of a run that is about to be published at `run`. Raises StorageError."""
    write_json(_note(workdir, run), config)


def noted_config(run: Run) -> JsonObject | None:
    """The config that a run was mined with, with whole paths; None where it is not known.

    It is taken only where it is that of the manifest, but for the paths.
    """
    if not vouched(run.workdir, run.output):
        return None
    try:
        found = storage.read_json(storage.fetch(_note(run.workdir, run.path)))
    except (OSError, ValueError):
        return None
    mine, theirs = shareable(found), dict(run.manifest.get("config") or {})
    for values in (mine, theirs):
        values.pop("output", None)
    return found if mine == theirs else None
