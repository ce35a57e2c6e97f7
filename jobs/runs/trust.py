"""What a run handed over by somebody else may make a command read: itself, and nothing beyond."""

import hashlib
import json
import os
import reprlib
import stat
from functools import cache
from pathlib import Path

from negmine import schemas
from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.storage.atomic import write_json

MOST_MANIFEST = 1 << 26
_OUTPUTS = ".outputs"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


@cache
def _schema() -> JsonObject:
    """JSON Schema of a manifest: the model itself would load pydantic for every command."""
    text = (Path(schemas.__file__).parent / "manifest.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def check_manifest(file: Path, value: object) -> None:
    """Raise StorageError for a manifest of a later version, or of another shape, naming the key.

    Keys that older manifests lack are not missed.
    """
    version = value.get("manifest_version") if isinstance(value, dict) else None
    newest = _schema()["version"]
    if type(version) is int and version > newest:
        raise StorageError(
            f"{file} was written by a later negmine: its manifest_version is {version}, and this "
            f"one reads up to {newest}; install the version that wrote it, or name another run"
        )
    wrong = _wrong(value, _schema(), "")
    if wrong:
        key, found = wrong
        raise StorageError(
            f"{file} was not written by negmine: {key[:99] or 'it'} is {reprlib.repr(found)}; "
            "name another run, or mine again"
        )


def _wrong(value: object, shape: JsonObject, key: str) -> tuple[str, object] | None:
    """The first key whose value is not of its JSON Schema, with the value; None where all are.

    Of the standard, what pydantic writes for `schemas.manifest`: references, types, `anyOf`.
    """
    if "$ref" in shape:
        shape = _schema()["$defs"][shape["$ref"].rpartition("/")[2]]
    if "anyOf" in shape:
        tried = [_wrong(value, choice, key) for choice in shape["anyOf"]]
        return None if None in tried else max(filter(None, tried), key=lambda wrong: len(wrong[0]))
    kind = shape.get("type")
    if kind is None:
        return None
    fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not fits or value != value:
        return key, value
    parts: list[tuple[str, object, JsonObject]] = []
    if isinstance(value, dict):
        named, others = shape.get("properties", {}), shape.get("additionalProperties")
        for name, part in value.items():
            of = named.get(name, others if isinstance(others, dict) else {})
            parts.append((f"{key}.{name}" if key else str(name), part, of))
    elif isinstance(value, list):
        parts = [(f"{key}.{at}", part, shape.get("items", {})) for at, part in enumerate(value)]
    return next(filter(None, (_wrong(part, of, name) for name, part, of in parts)), None)


def check_files(folder: Path) -> None:
    """Raise StorageError where a folder holds anything but folders and regular files.

    A link in a run could point to any file of the reader's, and a pipe would wait for ever. A store
    holds neither.
    """
    if storage.is_mirrored(folder):
        return
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    waiting.append(Path(entry.path))
                elif not stat.S_ISREG(mode):
                    raise StorageError(
                        f"{entry.path} is a link, pipe or device; a run holds files and folders "
                        "only, so it is not read. Where you trust it, put the file itself there"
                    )


def _note(workdir: Path, output: Path) -> Path:
    place = storage.url_of(output) or output.resolve()
    name = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    return workdir / _OUTPUTS / f"{name}.json"


def vouch(workdir: Path, output: Path) -> None:
    """Note in a work directory outside an output folder that runs of that folder may read it."""
    if not workdir.resolve().is_relative_to(output.resolve()):
        write_json(_note(workdir, output), {})


def vouched(workdir: Path, output: Path) -> bool:
    """Whether runs of an output folder may read a work directory: it lies there or knows it."""
    inside = workdir.resolve().is_relative_to(output.resolve())
    return inside or storage.is_file(_note(workdir, output))
