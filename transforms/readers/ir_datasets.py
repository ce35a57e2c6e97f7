"""Collections that ir_datasets names."""

from collections.abc import Iterator
from typing import Any

from schemas.errors import ConfigError, DataError
from schemas.inputs import IrDatasetsInput
from transforms.readers.rows import Row, Source, judgement_row, text_row


def _load(name: str) -> Any:
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
            f"input.name: ir_datasets has no {name!r}; see https://ir-datasets.com for its names"
        ) from None


def sources(config: IrDatasetsInput) -> list[Source]:
    """Documents, queries and qrels. Raises ConfigError, DataError: library or part missing."""
    dataset = _load(config.name)
    for part, has in (
        ("documents", dataset.has_docs()),
        ("queries", dataset.has_queries()),
        ("qrels", dataset.has_qrels()),
    ):
        if not has:
            raise DataError(f"input.name: {config.name} has no {part}; name one of its subsets")
    return [Source(kind, config.name, config.name) for kind in ("documents", "queries", "qrels")]


def read(source: Source, config: IrDatasetsInput, seed: int) -> Iterator[Row]:
    """Rows of one part of the collection; texts are what the library calls the default text."""
    dataset = _load(config.name)
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
