"""What identifies an input collection's content, wherever it lies."""

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, DocumentsInput, Input
from negmine.transforms import storage
from negmine.transforms.readers import hf
from negmine.transforms.readers.rows import Source
from negmine.transforms.storage.atomic import write_json
from negmine.transforms.storage.digests import Digest, digest_of, settled

_LOCATIONS = ("path", "documents", "queries", "qrels", "pool", "labels")
_EVALUATION = ("splits", "qrels", "queries", "pairs")
_TOLERANCES = ("bad_rows", "max_unpacked_bytes", "queries_are_documents")
_HUB = ("hf", "hf_pairs")
_ADDED = {"encoding": "utf-8", "negative": None, "label": None, "label_above": 0}
_ADDED |= {"passages": None, "doc_group": AUTO, "doc_place": AUTO, "detect_language": False}
_ADDED |= {"doc_language": AUTO, "query_language": AUTO, "positive_language": AUTO}
_ADDED |= {"pool_title": AUTO}
"""Later settings that identify nothing at their defaults, so that older work stays good."""


def identify(
    config: Input, sources: Sequence[Source], seed: int, cache: Path | None
) -> tuple[dict[str, object], list[Source]]:
    """What identifies the collection's content, and its sources held to that content.

    See `transforms.readers.fingerprint_input`.
    """
    known = [
        replace(source, digests=tuple(file_digests(_files(config, source), cache)))
        for source in sources
    ]
    return _fingerprint(config, known, seed), known


def _files(config: Input, source: Source) -> list[str]:
    """The files that a source's rows come from; none where a name or a version stands for them."""
    if source.kind == "labels" or config.format not in (*_HUB, "stdlib", "ir_datasets"):
        return [source.path]
    return hf.files(source) if config.format in _HUB else []


def _fingerprint(config: Input, sources: list[Source], seed: int) -> dict[str, object]:
    evaluation = {f"evaluation_{what}" for what in _EVALUATION}
    options = config.model_dump(mode="json", exclude={*_LOCATIONS, *_TOLERANCES, *evaluation})
    for key, default in _ADDED.items():
        if options.get(key, default) == default:
            options.pop(key, None)
    value: dict[str, object] = {"options": options}
    labels = [source for source in sources if source.kind == "labels"]
    if labels:
        value["labels"] = _sums(labels)
        sources = [source for source in sources if source.kind != "labels"]
    if config.limit is not None or (isinstance(config, DocumentsInput) and config.drawn):
        value["seed"] = seed
    if config.format == "stdlib":
        value["python"] = f"{sys.implementation.name} {sys.version}"
    elif config.format == "ir_datasets":
        value["evaluation"] = sorted(source.name for source in sources if source.evaluation)
    elif config.format in _HUB:
        identities = [hf.identity(source) for source in sources]
        _put(value, "datasets", sources, [source.kind for source in sources], identities)
    else:
        names = [f"{source.kind}/{source.name}" for source in sources]
        _put(value, "files", sources, names, _sums(sources))
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


def _sums(sources: Sequence[Source]) -> list[str]:
    return [source.digests[0].sha256 for source in sources]


def file_digests(paths: Sequence[str], cache: Path | None) -> list[Digest]:
    """Digest of each file, in their order. Raises DataError where one cannot be read.

    Taken from `cache`, a JSON file, where bytes, times, inode and device are as they were and the
    file had not just been written then, so that any change since would show in them.
    """
    known = _load(cache)
    fresh: JsonObject = {}
    found = []
    for name in paths:
        path = str(Path(name).absolute())
        key = hashlib.sha256(os.fsencode(storage.url_of(path) or path)).hexdigest()
        state = _state(path)
        entry = known.get(key)
        if isinstance(entry, dict) and entry.get("state") == state:
            mirrored = storage.is_mirrored(Path(path))
            found.append(Digest(str(entry["sha256"]), () if mirrored else tuple(state)))
            continue
        digest = digest_of(path)
        found.append(digest)
        stored = state if storage.is_mirrored(Path(path)) else list(digest.state)
        if stored and settled(stored):
            fresh[key] = {"state": stored, "sha256": digest.sha256}
    if cache is not None and fresh:
        write_json(cache, {**known, **fresh})
    return found


def _state(path: str) -> list[int]:
    try:
        return storage.state(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def _load(cache: Path | None) -> JsonObject:
    try:
        return storage.read_json(storage.fetch(cache)) if cache is not None else {}
    except (OSError, ValueError):
        return {}
