"""Readers of input collections: which sources a configuration names, and the rows of each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from negmine.schemas.inputs import Input
from negmine.transforms import storage
from negmine.transforms.readers import beir, columns, hf, ir_datasets, stdlib, tsv
from negmine.transforms.readers.detection import check_detector
from negmine.transforms.readers.fingerprints import identify
from negmine.transforms.readers.labels import label_source, read_labels
from negmine.transforms.readers.pairs import files, hub, pseudo
from negmine.transforms.readers.rows import Row, Source
from negmine.transforms.storage.digests import blamed

_MODULES: dict[str, ModuleType] = {
    "beir": beir,
    "parquet": columns,
    "jsonl": columns,
    "tsv": tsv,
    "pairs": files,
    "hf_pairs": hub,
    "documents": pseudo,
    "hf": hf,
    "ir_datasets": ir_datasets,
    "stdlib": stdlib,
}
_WITHOUT_FILES = ("hf", "hf_pairs", "ir_datasets", "stdlib")


def sources(config: Input) -> list[Source]:
    """What there is to read, one source for each file; reads no rows.

    Raises DataError naming a path, split or column that is missing, and ConfigError where a
    library has to be installed first.
    """
    found: list[Source] = _MODULES[config.format].sources(config)
    return found if config.labels is None else [*found, label_source(config.labels)]


def read(source: Source, config: Input, seed: int) -> Iterator[Row]:
    """The rows of one source, streamed; bad ones are `Bad`, never an exception.

    `seed` keys the choice of functions (stdlib). Raises DataError where the file as a whole is
    damaged, or has not the digest of its source.
    """
    if storage.is_mirrored(source.path):
        source = replace(source, path=str(storage.fetch(source.path)))
    if source.kind == "labels":
        yield from read_labels(source, config.max_text_bytes, config.max_unpacked_bytes)
        return
    file = config.format not in _WITHOUT_FILES
    with blamed(source.path, source.digest if file else None):
        yield from _MODULES[config.format].read(source, config, seed)


def check(config: Input) -> None:
    """Raise DataError or ConfigError where the input is not there, before anything runs."""
    sources(config)
    if config.detect_language:
        check_detector()


def input_files(config: Input) -> list[Path]:
    """The files that are read, absolute; of formats that are not files, the labels alone."""
    found = sources(config)
    if config.format in _WITHOUT_FILES:
        found = [source for source in found if source.kind == "labels"]
    return [Path(source.path) for source in found]


def fingerprint_input(config: Input, seed: int, cache: Path | None) -> dict[str, object]:
    """What identifies the collection's content: JSON values without any absolute path.

    SHA-256 of each file under its relative name; the Python version (stdlib); what the library
    calls the data (hf, hf_pairs, ir_datasets) and the SHA-256 of its Arrow files (hf, hf_pairs);
    the same of the evaluation splits; the SHA-256 of the labels; and the options that change the
    result. `seed` counts only where `limit` makes a choice, or spans are drawn. `cache` is a JSON
    file that keeps the sums of unchanged files. Raises DataError, ConfigError.
    """
    return identified(config, seed, cache)[0]


def identified(
    config: Input, seed: int, cache: Path | None
) -> tuple[dict[str, object], Sequence[Source]]:
    """`fingerprint_input`, and the sources with the digests that it is made of.

    Reading one of those raises DataError where it reads other bytes.
    """
    return identify(config, sources(config), seed, cache)
