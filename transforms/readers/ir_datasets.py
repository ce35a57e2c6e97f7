"""Collections that ir_datasets names."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.inputs import IrDatasetsInput
from negmine.transforms.readers.rows import Row, Source, judgement_row, text_row

if TYPE_CHECKING:
    from ir_datasets.datasets.base import Dataset


def _load(name: str, key: str = "name") -> "Dataset":
    try:
        import ir_datasets
    except ImportError:
        raise ConfigError(
            "input.format ir_datasets needs that library; run: pip install -e '.[ir-datasets]'"
        ) from None
    try:
        return ir_datasets.load(name)
    except KeyError:
        raise DataError(
            f"input.{key}: ir_datasets has no {name!r}{_subsets_beside(name)}; see "
            "https://ir-datasets.com for its names"
        ) from None


def sources(config: IrDatasetsInput) -> list[Source]:
    """Documents, queries and qrels, then queries and qrels of each evaluation subset.

    Raises ConfigError, DataError: library or part missing, the evaluation subset is mined.
    """
    found = _parts(config.name, "name", ("documents", "queries", "qrels"))
    for name in sorted(set(config.evaluation_splits)):
        if name == config.name:
            raise ConfigError(
                f"input.evaluation_splits: {name!r} is what is mined (input.name)"
                f"{_subsets_beside(name)}"
            )
        parts = _parts(name, "evaluation_splits", ("queries", "qrels"))
        found += [replace(source, evaluation=True) for source in parts]
    return found


def _parts(name: str, key: str, parts: Sequence[str]) -> list[Source]:
    dataset = _load(name, key)
    there = {
        "documents": dataset.has_docs(),
        "queries": dataset.has_queries(),
        "qrels": dataset.has_qrels(),
    }
    for part in parts:
        if not there[part]:
            raise DataError(f"input.{key}: {name} has no {part}; name one of its subsets")
    return [Source(part, name, name) for part in parts]


def _subsets_beside(name: str) -> str:
    """What else the library has under the same collection, to be put into a message."""
    import ir_datasets

    above, slash, _ = name.rpartition("/")
    if not slash:
        return ""
    names = [other for other in ir_datasets.registry if other.startswith(f"{above}/")]
    return f"; found {', '.join(sorted(names))}" if names else ""


def read(source: Source, config: IrDatasetsInput, seed: int) -> Iterator[Row]:
    """Rows of one part of the collection; texts are what the library calls the default text."""
    dataset = _load(source.path)
    if source.kind == "qrels":
        for number, item in enumerate(dataset.qrels_iter(), 1):
            values = (item.query_id, item.doc_id, item.relevance)
            yield judgement_row(number, *values, values)
        return
    documents = source.kind == "documents"
    items = dataset.docs_iter() if documents else dataset.queries_iter()
    for number, item in enumerate(items, 1):
        key = item.doc_id if documents else item.query_id
        text = item.default_text()
        yield text_row(source.kind, number, key, text, None, config.max_text_bytes, (key, text))
