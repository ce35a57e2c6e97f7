"""What identifies an input collection's content, wherever it lies."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from schemas.errors import DataError
from schemas.inputs import Input
from transforms.datasets import write_json
from transforms.readers import hf
from transforms.readers.rows import Source

_LOCATIONS = ("path", "documents", "queries", "qrels", "pool")
_TOLERANCES = ("bad_rows",)


def collection_fingerprint(
    config: Input, sources: list[Source], seed: int, cache: Path | None
) -> dict[str, object]:
    """See `transforms.readers.fingerprint_input`."""
    options = config.model_dump(mode="json", exclude={*_LOCATIONS, *_TOLERANCES})
    value: dict[str, object] = {"options": options}
    if config.limit is not None:
        value["seed"] = seed
    if config.format == "stdlib":
        value["python"] = f"{sys.implementation.name} {sys.version}"
    elif config.format == "hf":
        value["datasets"] = {source.kind: hf.identity(source) for source in sources}
    elif config.format != "ir_datasets":
        value["files"] = _sums(sources, cache)
    return value


def _sums(sources: list[Source], cache: Path | None) -> dict[str, str]:
    known = _load(cache)
    fresh: dict[str, Any] = {}
    sums = {}
    for source in sources:
        path = str(Path(source.path).absolute())
        key = hashlib.sha256(os.fsencode(path)).hexdigest()
        stat = Path(path).stat()
        state = [stat.st_size, stat.st_mtime_ns]
        entry = known.get(key)
        if not isinstance(entry, dict) or entry.get("state") != state:
            entry = {"state": state, "sha256": file_sum(path)}
            fresh[key] = entry
        sums[f"{source.kind}/{source.name}"] = str(entry["sha256"])
    if cache is not None and fresh:
        write_json(cache, {**known, **fresh})
    return sums


def _load(cache: Path | None) -> dict[str, Any]:
    try:
        value = json.loads(cache.read_text()) if cache is not None else {}
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def file_sum(path: str) -> str:
    """SHA-256 of a file's bytes, in hex. Raises DataError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
