"""Hugging Face data sets, saved on disk or by name, with named columns."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.inputs import HfInput
from negmine.schemas.locations import is_url
from negmine.transforms import storage
from negmine.transforms.readers.columns import require_grade, row_maker, wanted_columns
from negmine.transforms.readers.label_values import refuse_classes
from negmine.transforms.readers.rows import Row, Source
from negmine.transforms.readers.tables.arrow import first_line
from negmine.transforms.readers.tables.classes import Classes, classes_of, names_at
from negmine.transforms.readers.tables.columnar import batch_rows, checked_batch, require_columns
from negmine.transforms.readers.tables.limits import ROWS
from negmine.transforms.storage.digests import all_held, changed

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset


class Name(NamedTuple):
    """A data set's name or folder, its configuration and its split."""

    name: str
    config: str | None
    split: str | None


def parse_name(text: str) -> Name:
    """Read `name[:config][/split]`; a folder on disk may be followed by `/split`."""
    path = _place(text)
    if path.is_dir():
        return Name(str(path), None, None)
    if path.parent.is_dir() and (path.parent / "dataset_dict.json").is_file():
        return Name(str(path.parent), None, path.name)
    if text.startswith(("/", ".", "~")) or is_url(text):
        return Name(str(path), None, None)
    match = re.fullmatch(r"([^:]+):([^/]*)(?:/(.+))?", text)
    if match:
        return Name(match[1], match[2] or None, match[3])
    pieces = text.split("/")
    if len(pieces) > 2:
        return Name("/".join(pieces[:2]), None, "/".join(pieces[2:]))
    return Name(text, None, None)


def _place(text: str) -> Path:
    """The folder of a data set, whole on this machine, with the split where the text has one."""
    path = storage.local_path(text)
    if storage.is_mirrored(path):
        split = storage.is_file(path.parent / "dataset_dict.json")
        storage.fetch_tree(path.parent if split else path)
    return path


def library() -> ModuleType:
    """The library datasets. Raises ConfigError where it is not installed."""
    try:
        import datasets
    except ImportError:
        raise ConfigError(
            "Hugging Face data sets need the library datasets; run: pip install -e '.[datasets]'"
        ) from None
    return datasets


def load(text: str) -> "Dataset":
    """The data set that a name stands for. Raises DataError: not found, or several splits."""
    found = _opened(text)
    if not isinstance(found, dict):
        return found
    split = parse_name(text).split
    splits = sorted(found)
    if split is None and len(splits) == 1:
        split = splits[0]
    if split not in splits:
        asked = "names no split" if split is None else f"has no split {split!r}"
        raise DataError(
            f"data set {text!r} {asked}; write name[:config]/split, with one of {', '.join(splits)}"
        )
    return found[split]


def _opened(text: str) -> "Dataset | DatasetDict":
    datasets = library()
    name, config, _ = parse_name(text)
    if (text.startswith(("/", ".", "~")) or is_url(text)) and not Path(name).is_dir():
        raise DataError(f"data set {text!r}: there is no such folder")
    try:
        if Path(name).is_dir() and _saved(Path(name)):
            return datasets.load_from_disk(name)
        return datasets.load_dataset(name, config)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"data set {text!r} cannot be loaded: {error}") from error


def splits_of(text: str) -> str:
    """The splits there are, to be put into a message."""
    above = Path(parse_name(text).name).parent
    found = _opened(str(above) if (above / "dataset_dict.json").is_file() else text)
    return f"; found {', '.join(sorted(found))}" if isinstance(found, dict) else ""


def _saved(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))


def sources(config: HfInput) -> list[Source]:
    """The three data sets, then those of the evaluation.

    Raises ConfigError, DataError: library, data set, split or column missing, or qrels of the
    evaluation are mined.
    """
    found = [source_of(kind, getattr(config, kind)) for kind in ("documents", "queries", "qrels")]
    mined = identity(found[-1]) if config.evaluation_qrels else None
    for kind in ("queries", "qrels"):
        for text in sorted(set(getattr(config, f"evaluation_{kind}"))):
            found.append(replace(source_of(kind, text), evaluation=True))
            if kind == "qrels" and identity(found[-1]) == mined:
                raise ConfigError(
                    f"input.evaluation_qrels: {text!r} is what is mined (input.qrels)"
                    f"{splits_of(text)}"
                )
    for each in found:
        _columns(each, load(each.path), config)
    return found


def source_of(kind: str, text: str) -> Source:
    """What is read of a data set of that name."""
    return Source(kind, text, _shown(text))


def _columns(source: Source, data: "Dataset", config: HfInput) -> list[str | None]:
    """The columns to read of a data set. Raises DataError where one is missing."""
    names = list(data.column_names)
    wanted = wanted_columns(source.kind, config, names, f"data set {source.path!r}")
    require_columns(source.path, names, wanted)
    require_grade(source, config, names, wanted)
    if source.kind == "qrels" and wanted[2] is not None:
        found = names_at(classes(data), wanted[2])
        refuse_classes(f"data set {source.path!r}", "grade", wanted[2], found)
    return wanted


def _shown(text: str) -> str:
    name, _, split = parse_name(text)
    if not Path(name).is_dir():
        return text
    return Path(name).name if split is None else f"{Path(name).name}/{split}"


def read(source: Source, config: HfInput, seed: int) -> Iterator[Row]:
    """Rows of one data set."""
    paths = files(source)
    if source.digests and len(paths) != len(source.digests):
        raise changed(source.path)
    with all_held(paths, source.digests):
        data = load(source.path)
        wanted = _columns(source, data, config)
        make = row_maker(source.kind, wanted, config)
        try:
            checked = (checked_batch(source.path, batch, wanted) for batch in batches(data))
            for number, values in batch_rows(checked, wanted):
                yield make(number, values, values)
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                f"data set {source.path!r} is damaged ({first_line(error)}); fetch it again"
            ) from error


def batches(data: "Dataset") -> Iterator[pa.Table]:
    """The rows of a data set in Arrow tables, with the names of its classes."""
    metadata = _metadata(data)
    for table in data.with_format("arrow").iter(batch_size=ROWS):
        yield table.replace_schema_metadata(metadata)


def classes(data: "Dataset | IterableDataset") -> Mapping[str, Classes]:
    """The classes of the columns of a data set that have some."""
    return classes_of(_metadata(data))


def _metadata(data: "Dataset | IterableDataset") -> Mapping[bytes, bytes] | None:
    features = getattr(data, "features", None)
    return None if features is None else features.arrow_schema.metadata


def files(source: Source) -> list[str]:
    """The Arrow files that a data set is mapped from; none where it is in memory."""
    found = getattr(load(source.path), "cache_files", None) or []
    return [str(entry["filename"]) for entry in found]


def identity(source: Source) -> str:
    """What names a data set's content: the library's fingerprint of it, and its files' digests."""
    named = str(load(source.path)._fingerprint)
    if not source.digests:
        return named
    parts = "\n".join([named, *(digest.sha256 for digest in source.digests)])
    return hashlib.sha256(parts.encode()).hexdigest()
