"""What identifies an input collection's content, wherever it lies."""

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.errors import DataError
from schemas.inputs import Input
from transforms import storage
from transforms.datasets import write_json
from transforms.readers import hf
from transforms.readers.rows import Source

_LOCATIONS = ("path", "documents", "queries", "qrels", "pool", "labels")
_EVALUATION = ("splits", "qrels", "queries", "pairs")
_TOLERANCES = ("bad_rows", "max_unpacked_bytes", "queries_are_documents")


def collection_fingerprint(
    config: Input, sources: list[Source], seed: int, cache: Path | None
) -> dict[str, object]:
    """See `transforms.readers.fingerprint_input`."""
    evaluation = {f"evaluation_{what}" for what in _EVALUATION}
    options = config.model_dump(mode="json", exclude={*_LOCATIONS, *_TOLERANCES, *evaluation})
    value: dict[str, object] = {"options": options}
    labels = [source for source in sources if source.kind == "labels"]
    if labels:
        value["labels"] = _sums(labels, cache)
        sources = [source for source in sources if source.kind != "labels"]
    if config.limit is not None:
        value["seed"] = seed
    if config.format == "stdlib":
        value["python"] = f"{sys.implementation.name} {sys.version}"
    elif config.format == "ir_datasets":
        value["evaluation"] = sorted(source.name for source in sources if source.evaluation)
    elif config.format == "hf":
        identities = [hf.identity(source) for source in sources]
        _put(value, "datasets", sources, [source.kind for source in sources], identities)
    else:
        names = [f"{source.kind}/{source.name}" for source in sources]
        _put(value, "files", sources, names, _sums(sources, cache))
    return value


def _put(
    value: dict[str, object],
    key: str,
    sources: Sequence[Source],
    names: Sequence[str],
    contents: Sequence[str],
) -> None:
    """Contents by name under `key`; those of evaluation, whose names may repeat, as pairs."""
    named = list(zip(sources, names, contents, strict=True))
    value[key] = {name: content for source, name, content in named if not source.evaluation}
    value["evaluation"] = sorted(pair for source, *pair in named if source.evaluation)


def _sums(sources: list[Source], cache: Path | None) -> list[str]:
    return file_sums([source.path for source in sources], cache)


def file_sums(paths: Sequence[str], cache: Path | None) -> list[str]:
    """`file_sum` of each file; taken from the cache where size and time are as they were."""
    known = _load(cache)
    fresh: dict[str, Any] = {}
    sums = []
    for name in paths:
        path = str(Path(name).absolute())
        key = hashlib.sha256(os.fsencode(storage.url_of(path) or path)).hexdigest()
        state = storage.state(path)
        entry = known.get(key)
        if not isinstance(entry, dict) or entry.get("state") != state:
            entry = {"state": state, "sha256": file_sum(path)}
            fresh[key] = entry
        sums.append(str(entry["sha256"]))
    if cache is not None and fresh:
        write_json(cache, {**known, **fresh})
    return sums


def _load(cache: Path | None) -> dict[str, Any]:
    try:
        return storage.read_json(storage.fetch(cache)) if cache is not None else {}
    except (OSError, ValueError):
        return {}


def file_sum(path: str) -> str:
    """SHA-256 of a file's bytes, in hex. Raises DataError where it cannot be read."""
    try:
        with open(storage.fetch(path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
