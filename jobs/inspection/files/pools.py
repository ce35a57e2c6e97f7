"""Further documents beside pairs: the column of their texts, and whether titles belong to them."""

from collections.abc import Mapping, Sequence
from itertools import islice

from negmine.jobs.inspection.columns import columns_of
from negmine.jobs.inspection.files import collections
from negmine.jobs.inspection.files.folders import Piece
from negmine.jobs.inspection.heads import head_of
from negmine.jobs.inspection.roles.understood import Settings
from negmine.jobs.inspection.roles.written import refuse_written_pool
from negmine.jobs.inspection.samples import input_of
from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import PairsInput
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.rows import Document, Source
from negmine.transforms.readers.tables.names import usual
from negmine.transforms.storage.suffixes import kind_of_file

_SEED = 42
_TEXTS = 3000
"""Rows of a file of pairs whose texts are looked for among further documents."""

_POOL = 20_000
"""Further documents that are looked at, of a file."""


def pool_of(
    pieces: Sequence[Piece], where: str, settings: Settings, encoding: str
) -> tuple[JsonObject, int | str]:
    """Keys of `input` that name further documents, and how many there are.

    Raises DataError where it cannot be told which column holds their texts.
    """
    pattern, files = collections.one_pattern(pieces, where)
    head = head_of(files[0], encoding if kind_of_file(files[0]) in ("csv", "tsv") else None)
    values: JsonObject = {"pool": pattern}
    names = list(head.names)
    if "pool_text" not in settings and usual("pool_text", names) is None and len(names) > 1:
        texts = [c.name for c in columns_of(head) if c.kind == "text"]
        if len(texts) != 1:
            raise DataError(
                f"{files[0]}: which column holds the texts of further documents cannot be told; "
                f"its columns are {', '.join(map(repr, names[:20]))}. Say it: --set "
                "input.pool_text=COLUMN"
            )
        values["pool_text"] = texts[0]
    refuse_written_pool(head, values.get("pool_text") or settings.get("pool_text"))
    return values, collections.count(head, files)


def pool_title(section: Mapping[str, object]) -> tuple[JsonObject, list[str]]:
    """The setting of titles of further documents, and what is said of it.

    As the texts of pairs are found among these, with the title or without; empty where none is.
    Raises DataError where some are found with it and others without.
    """
    if section.get("format") != "pairs" or not section.get("pool") or "pool_title" in section:
        return {}, []
    alone = input_of({**section, "pool_title": None})
    assert isinstance(alone, PairsInput)
    found = sources(alone)
    pool = [source for source in found if source.kind == "documents"]
    names = [name for source in pool if (name := _title(source, alone))]
    if not names:
        return {}, []
    title = names[0]
    texts = {
        row.text
        for source in found
        if source.kind == "pairs"
        for row in islice(read(source, alone, _SEED), _TEXTS)
        if isinstance(row, Document)
    }
    bare, joined = _matches(pool, alone, alone.model_copy(update={"pool_title": title}), texts)
    decides = f"--set input.pool_title={title} puts titles before the texts, null leaves them out"
    if bare and joined:
        raise DataError(
            f"{alone.pool}: of the texts of the pairs {bare:,} stand there as they are, and "
            f"{joined:,} with their title {title!r} before them; write the positives in one way. "
            f"{decides}"
        )
    if joined:
        return {"pool_title": title}, [
            f"{title} is put before the text of further documents, as in the positives; --set "
            "input.pool_title=null leaves it out"
        ]
    if bare:
        return {"pool_title": None}, [
            f"{title} of further documents is left out, as the positives are their texts alone; "
            f"--set input.pool_title={title} puts it before them"
        ]
    titled = any(source.titled for source in sources(input_of(section)))
    said = "is put before the text of" if titled else "is left out of"
    return {}, [f"{title} {said} further documents, by the form of the positives; {decides}"]


def _title(source: Source, config: PairsInput) -> str | None:
    """The column of a file's titles, where it is not that of the texts."""
    csv = kind_of_file(source.path) in ("csv", "tsv")
    title = usual("doc_title", head_of(source.path, config.encoding if csv else None).names)
    return None if title == config.pool_text else title


def _matches(
    pool: Sequence[Source], alone: PairsInput, titled: PairsInput, texts: set[str]
) -> tuple[int, int]:
    """How many documents are among the texts as they are, and how many with their title."""
    bare = joined = 0
    for source in pool:
        both = zip(read(source, alone, _SEED), read(source, titled, _SEED), strict=False)
        for one, other in islice(both, _POOL):
            if isinstance(one, Document) and isinstance(other, Document) and one != other:
                bare += one.text in texts
                joined += other.text in texts
    return bare, joined
