"""Data sets of the Hugging Face hub by name, looked at through the library datasets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType

from negmine.jobs.inspection.heads import ROWS, Head, as_text
from negmine.jobs.inspection.names import is_train, part_of, split_of
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.readers import hf
from negmine.transforms.readers.tables.arrow import first_line
from negmine.transforms.readers.tables.classes import Classes, named

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(:[\w.-]*)?(/[\w.-]+)?")
_ABSENT = (OSError, ValueError, RuntimeError, LookupError)
"""What the library raises for a name that it does not find, with and without a network."""


@dataclass(frozen=True)
class Looked:
    """A data set by name: its `input` section so far, and the head of its rows, if it is rows."""

    values: JsonObject
    shape: str
    head: Head | None = None
    notes: Sequence[str] = ()


def is_name(text: str) -> bool:
    """Whether a text can be the hub's name of a data set, `owner/name[:config][/split]`."""
    return _NAME.fullmatch(text) is not None


def look(text: str, split: str | None) -> Looked:
    """What a data set is. Raises DataError where it cannot be loaded, ConfigError: no library."""
    library = hf.library()
    name, config, own = hf.parse_name(text)
    _reach(name)
    try:
        configs = [config] if config else library.get_dataset_config_names(name)
        parts = {part: c for c in configs if (part := part_of(c))}
        if {"documents", "queries"} <= set(parts):
            return _collection(library, name, configs, parts, split)
        config = config or ("default" if "default" in configs else configs[0])
        splits = list(library.get_dataset_split_names(name, config))
        mined = own or _split(splits, split, text)
        data = library.load_dataset(name, config, split=mined, streaming=True)
        classes = hf.classes(data)
        rows = [_row(row, classes) for row in islice(data, ROWS)]
    except _ABSENT as error:
        raise DataError(
            f"{text} is no file or folder here, and no data set that can be loaded: {error}"
        ) from None
    if not rows:
        raise DataError(f"data set {text!r} holds no row in the split {mined}")
    count = _rows(library, name, config, mined)
    head = Head(text, "data set", tuple(rows[0]), rows, count=count, classes=classes)
    values: JsonObject = {"format": "hf_pairs", "path": f"{name}:{config}/{mined}"}
    others = [s for s in splits if s != mined and split_of(s)]
    notes = []
    if others:
        values["evaluation_pairs"] = [f"{name}:{config}/{s}" for s in others]
        notes = [f"kept for evaluation: {', '.join(others)}"]
    return Looked(values, f"Hugging Face data set, split {mined}", head, notes)


def _row(row: Mapping[str, object], classes: Mapping[str, Classes]) -> dict[str, object]:
    """A row with the names of its classes."""
    return {name: as_text(value) for name, value in named(dict(row), classes).items()}


def _reach(name: str) -> None:
    """Raise DataError at once where there is neither such a folder nor such a name on the hub.

    The library itself tries for half a minute. With HF_HUB_OFFLINE set its cache is asked.
    """
    from huggingface_hub import HfApi, constants, errors

    if Path(name).is_dir() or constants.HF_HUB_OFFLINE:
        return
    try:
        HfApi().dataset_info(name, timeout=10)
    except errors.RepositoryNotFoundError:
        raise DataError(
            f"{name} is no file or folder here, and the hub has no public data set of that name"
        ) from None
    except Exception as error:
        raise DataError(
            f"{name} is no file or folder here, and the hub cannot be asked for a data set of that "
            f"name ({first_line(error)}); where it was loaded before, set HF_HUB_OFFLINE=1"
        ) from None


def _split(splits: Sequence[str], wanted: str | None, where: str) -> str:
    if wanted is not None and wanted not in splits:
        raise DataError(f"data set {where!r} has no split {wanted!r}; found {', '.join(splits)}")
    found = wanted or next((s for s in splits if is_train(s)), None)
    if found is None and len(splits) != 1:
        raise DataError(f"data set {where!r} has the splits {', '.join(splits)}; say --split NAME")
    return found or splits[0]


def _rows(library: ModuleType, name: str, config: str, split: str) -> int | None:
    builder = library.load_dataset_builder(name, config)
    found = (builder.info.splits or {}).get(split)
    return getattr(found, "num_examples", None) or None


def _collection(
    library: ModuleType,
    name: str,
    configs: Sequence[str],
    parts: Mapping[str, str],
    split: str | None,
) -> Looked:
    """Documents, queries and qrels in configurations of a data set, as the hub's BEIR has them."""
    judged, where = parts.get("qrels"), name
    if judged is None and "default" in configs:
        judged = "default"
    if judged is None:
        where = f"{name}-qrels"
        judged = library.get_dataset_config_names(where)[0]
    splits = list(library.get_dataset_split_names(where, judged))
    mined = _split(splits, split, where)
    values: JsonObject = {"format": "hf"}
    for part in ("documents", "queries"):
        (only, *more) = library.get_dataset_split_names(name, parts[part])
        if more:
            raise ConfigError(
                f"data set {name!r}: {parts[part]} has several splits ({only}, {', '.join(more)}); "
                f"write a config with format: hf and {part}: {name}:{parts[part]}/SPLIT"
            )
        values[part] = f"{name}:{parts[part]}/{only}"
    values["qrels"] = f"{where}:{judged}/{mined}"
    others = [s for s in splits if s != mined]
    if others:
        values["evaluation_qrels"] = [f"{where}:{judged}/{s}" for s in others]
    notes = [f"kept for evaluation: {', '.join(others)}"] if others else []
    return Looked(values, "Hugging Face collection: documents, queries, qrels", notes=notes)
