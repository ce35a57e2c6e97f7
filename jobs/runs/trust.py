"""What a run handed over by somebody else may make a command read: itself, and nothing beyond."""

import hashlib
import os
import reprlib
import stat
from pathlib import Path
from typing import Any

from negmine.schemas.errors import StorageError
from negmine.transforms import storage

MOST_MANIFEST = 1 << 26
_OUTPUTS = ".outputs"
_NUMBER = (int, float)
_SCORES = {"*": (int, float, type(None))}
_SHAPE: Any = {
    "run_id": str,
    "created": str,
    "config": {
        "tiers": {"*": {"quota": int}},
        "output": {"workdir": (str, type(None))},
        "judge": {"kind": str},
        "student": {},
        "sampling": {},
        "policies": [{}],
    },
    "tier_order": [str],
    "summary": {
        "tiers": {
            "*": {"negatives": int, "backfilled": int, "queries_short": int, "sources": {"*": int}}
        },
        "verdicts": {"*": int},
        "judge": {"*": int},
        "eci": {"overall": _SCORES, "tiers": {"*": _SCORES}},
        "calibration": [{"positives_above": str, **_SCORES}],
        "rows": {"*": int},
        "input": {"dead_letter_reasons": {"*": int}, "*": int},
        **dict.fromkeys(("queries", "documents", "positives", "queries_short"), int),
        **dict.fromkeys(("dead_letters", "evaluation_queries"), int),
        **dict.fromkeys(("merged_queries", "queries_without_positives"), int),
        "zero_vectors": {"documents": int, "queries": int},
    },
    "artifacts": {"*": (str, type(None))},
    "parts": {"*": {"bytes": int, "sha256": str}},
    "timings": {"*": {"seconds": _NUMBER, "reused": bool}},
    "precision": {"lowest_cosine_with_fp32": (int, float, type(None))},
    "policies": [{}],
    "processor": {"embed": {}},
    "judge_checks": [{"judge": str, "*": _NUMBER}],
    "remarks": [
        {**dict.fromkeys(("code", "title", "fact", "advice"), str), "serious": bool, "numbers": {}}
    ],
    "peak_memory_bytes": _NUMBER,
}
"""Types of the keys that commands read; {"*": ...} is a map of any keys, [...] a list."""


def check_manifest(file: Path, value: Any) -> None:
    """Raise StorageError, naming the key, where a manifest is not of the shape that is written."""
    wrong = _wrong(value, _SHAPE, "")
    if wrong:
        key, found = wrong
        raise StorageError(
            f"{file} was not written by negmine: {key[:99] or 'it'} is {reprlib.repr(found)}; "
            "name another run, or mine again"
        )


def _wrong(value: Any, shape: Any, key: str) -> tuple[str, Any] | None:
    """The first key whose value is not of its shape, with the value; None where all are."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return key, value
        found = [(name, shape.get(name, shape.get("*"))) for name in value]
        parts = [(f"{key}.{name}" if key else name, value[name], part) for name, part in found]
    elif isinstance(shape, list):
        if not isinstance(value, list):
            return key, value
        parts = [(f"{key}.{at}", part, shape[0]) for at, part in enumerate(value)]
    else:
        fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
        return None if fits and value == value else (key, value)
    wrong = (_wrong(part, of, name) for name, part, of in parts if of is not None)
    return next(filter(None, wrong), None)


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
        from negmine.transforms.data.datasets import write_json

        write_json(_note(workdir, output), {})


def vouched(workdir: Path, output: Path) -> bool:
    """Whether runs of an output folder may read a work directory: it lies there or knows it."""
    inside = workdir.resolve().is_relative_to(output.resolve())
    return inside or storage.is_file(_note(workdir, output))
