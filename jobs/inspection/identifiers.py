"""Whether what was taken for the texts of positives are identifiers of the documents beside."""

from collections.abc import Iterator
from itertools import islice

from negmine.jobs.inspection.heads import Head, as_text, head_of
from negmine.jobs.inspection.roles.asked import INSTEAD
from negmine.jobs.inspection.roles.values import rows_of
from negmine.jobs.terminal import printable
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, Input, PairsInput
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.rows import Document, Judgement, Source
from negmine.transforms.readers.tables.columnar import table_rows
from negmine.transforms.readers.tables.names import usual

_ROWS = 1000
"""Rows of pairs whose positives are looked for."""

_WORDS = 6
"""Mean words of positives up to which they may be identifiers, such as titles."""

_LOOKED_AT = 2_000_000
"""Documents among whose identifiers they are looked for."""

_SEED = 42


def refuse_identifiers(config: Input) -> None:
    """Raise DataError where positives are identifiers of the further documents, not their texts.

    Those that are the text of the document of that identifier too are texts.
    """
    if not isinstance(config, PairsInput) or config.pool is None:
        return
    every = [source for source in sources(config) if not source.evaluation]
    pairs = next(source for source in every if source.kind == "pairs")
    texts = _positives(pairs, config)
    if not texts or sum(len(text.split()) for text in texts) > _WORDS * len(texts):
        return
    found: set[str] = set()
    for pool in every:
        for name, text in _documents(pool, config) if pool.kind == "documents" else ():
            if name in texts and text != name:
                found.add(name)
            if 2 * len(found) >= len(texts):
                raise DataError(
                    f"{pairs.path}: the positives are identifiers of documents in {pool.path} "
                    f"({printable(repr(name))}), and not their texts; {INSTEAD}. "
                    "Where they are texts all the same, take the identifiers out of the documents"
                )


def _positives(source: Source, config: PairsInput) -> set[str]:
    rows = list(islice(read(source, config, _SEED), _ROWS))
    judged = {row.doc_id for row in rows if isinstance(row, Judgement) and row.positive}
    return {row.text for row in rows if isinstance(row, Document) and row.id in judged}


def _documents(source: Source, config: PairsInput) -> Iterator[tuple[str, str]]:
    """Identifier and text of the further documents; none where they have no identifiers."""
    head = head_of(source.path, config.encoding)
    names = list(head.names)
    name = usual("doc_id", names)
    text = usual("pool_text", names) if config.pool_text == AUTO else config.pool_text
    if name is None or name == text or not head.header:
        return
    for found, said in islice(_both(head, source.path, name, str(text)), _LOOKED_AT):
        if isinstance(found, str | int):
            yield str(found), str(said)


def _both(head: Head, path: str, name: str, text: str) -> Iterator[tuple[object, object]]:
    if head.kind in ("parquet", "arrow"):
        wanted = [name, text] if text in head.names else [name, name]
        for _, (found, said) in table_rows(path, wanted):
            yield as_text(found), as_text(said) if wanted[1] == text else ""
    else:
        for row, _ in rows_of(head, path):
            yield row.get(name), row.get(text)
