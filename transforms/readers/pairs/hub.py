"""Hugging Face data sets of pairs, saved on disk or by name."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.inputs import HfPairsInput
from negmine.transforms.readers import hf
from negmine.transforms.readers.label_values import refuse_classes
from negmine.transforms.readers.pairs.columns import (
    PairColumns,
    check_kept,
    pair_columns,
    unread_labels,
)
from negmine.transforms.readers.pairs.rows import pair_rows
from negmine.transforms.readers.rows import Row, Source
from negmine.transforms.readers.tables.arrow import first_line
from negmine.transforms.readers.tables.classes import names_at
from negmine.transforms.readers.tables.columnar import batch_rows, checked_batch
from negmine.transforms.storage.digests import all_held, changed

if TYPE_CHECKING:
    from datasets import Dataset


def sources(config: HfPairsInput) -> list[Source]:
    """The data set, then those of the evaluation.

    Raises ConfigError, DataError: library, data set, split or column missing, or what is kept for
    evaluation is mined.
    """
    found = [hf.source_of("pairs", config.path)]
    mined = hf.identity(found[0]) if config.evaluation_pairs else None
    for text in sorted(set(config.evaluation_pairs)):
        found.append(replace(hf.source_of("pairs", text), evaluation=True))
        if hf.identity(found[-1]) == mined:
            raise ConfigError(
                f"input.evaluation_pairs: {text!r} is what is mined (input.path)"
                f"{hf.splits_of(text)}"
            )
    names = []
    for source in found:
        data = hf.load(source.path)
        _columns(source, data, config)
        names.append((f"data set {source.path!r}", list(data.column_names)))
    check_kept(config, names[0][1], names[1:])
    return found


def _columns(source: Source, data: "Dataset", config: HfPairsInput) -> PairColumns:
    names, where = list(data.column_names), f"data set {source.path!r}"
    found = pair_columns(config, names, where, source.evaluation)
    unread_labels(where, config, found).schema(data.features.arrow_schema)
    if found.label is not None:
        refuse_classes(where, "label", str(config.label), names_at(hf.classes(data), *found.label))
    return found


def read(source: Source, config: HfPairsInput, seed: int) -> Iterator[Row]:
    """The rows of each row of a data set, see `pair_rows`."""
    paths = hf.files(source)
    if source.digests and len(paths) != len(source.digests):
        raise changed(source.path)
    with all_held(paths, source.digests):
        data = hf.load(source.path)
        columns = _columns(source, data, config)
        names = columns.names
        unread = unread_labels(f"data set {source.path!r}", config, columns)
        try:
            checked = (
                checked_batch(source.path, batch, names, names) for batch in hf.batches(data)
            )
            for number, values in batch_rows(checked, names):
                unread.values(number, values)
                yield from pair_rows(number, values, values, columns, config)
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                f"data set {source.path!r} is damaged ({first_line(error)}); fetch it again"
            ) from error
