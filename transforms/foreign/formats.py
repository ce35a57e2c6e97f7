"""Every format that is audited: how its rows are parsed and cleaned, and what names its texts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from negmine.schemas import JsonObject
from negmine.transforms.foreign import identified, labeled, lists
from negmine.transforms.foreign.beside import Sides
from negmine.transforms.foreign.lists import documents_of
from negmine.transforms.foreign.rows import Row

Named = Literal["text", "named", "id"]
"""Texts alone; identifiers and texts; identifiers whose texts stand elsewhere."""

Lines = Literal["objects", "arrays", "words", "document"]
"""JSON objects or rows of a table; JSON arrays; words between white space; one JSON value."""

Entries = set[tuple[str, int]]
"""Bad negatives of a row: the name of their list, their place from 1."""


@dataclass(frozen=True)
class Format:
    """A format of rows with names.

    Attributes:
        parse: from a row's number and record to the row; raises Rejected.
        clean: a record without its bad entries, None where the row goes.
        queries, documents: what names them.
        lines: what a record is.
        row_is_query: whether a row has all negatives of a query, or one document.
        beside: usual names, in a folder, of the rows' file, of the corpus and of the queries.
        sides: the lists of positives and of negatives; the same twice where the first of a list
            is the positive.
        labeled: whether labels say what is positive; parse and clean take the limit, `labels`.
    """

    parse: Callable[..., Row]
    clean: Callable[..., Any | None]
    queries: Named = "text"
    documents: Named = "text"
    lines: Lines = "objects"
    row_is_query: bool = True
    beside: Mapping[str, str] = field(default_factory=dict)
    sides: tuple[str, str] | None = None
    labeled: bool = False

    def sides_of(self, record: JsonObject) -> Sides | None:
        """How many positives and negatives a record has; None where nothing stands beside them."""
        if self.sides is None:
            return None
        above, below = (len(documents_of(record[key], key)) for key in self.sides)
        if self.sides[0] == self.sides[1]:
            above, below = 1, below - 1
        return Sides(above, [True] * below)


_MSMARCO = {
    "rows": "msmarco-hard-negatives.jsonl",
    "corpus": "collection.tsv",
    "queries": "queries.tsv",
}
_PYLATE = {"rows": "train.parquet", "corpus": "documents.parquet", "queries": "queries.parquet"}
_COLBERT = {"rows": "triples.jsonl", "corpus": "collection.tsv", "queries": "queries.tsv"}

NAMED: dict[str, Format] = {
    "flagembedding": Format(lists.flagembedding, lists.clean_flagembedding, sides=("pos", "neg")),
    "tevatron": Format(
        lists.tevatron,
        lists.clean_tevatron,
        "named",
        "named",
        sides=("positive_passages", "negative_passages"),
    ),
    "automodel_inline": Format(
        lists.automodel_inline, lists.clean_automodel, sides=("pos_doc", "neg_doc")
    ),
    "ms_swift": Format(
        lists.ms_swift, lists.clean_ms_swift, sides=("positive_messages", "negative_messages")
    ),
    "labeled_pair": Format(labeled.pair, labeled.drop, row_is_query=False, labeled=True),
    "bce": Format(labeled.pair, labeled.drop, row_is_query=False, labeled=True),
    "labeled_list": Format(labeled.labeled_list, labeled.clean_list, labeled=True),
    "lightning_ir": Format(labeled.lightning_ir, labeled.drop, "named", "named", "objects", False),
    "trec_run": Format(labeled.trec_run, labeled.drop, "id", "id", "words", False),
    "msmarco": Format(identified.msmarco, identified.clean_msmarco, "id", "id", beside=_MSMARCO),
    "tevatron_v2": Format(
        identified.tevatron_v2,
        identified.clean_tevatron_v2,
        "named",
        "id",
        beside={"rows": "train.jsonl", "corpus": "corpus.jsonl"},
        sides=("positive_document_ids", "negative_document_ids"),
    ),
    "pylate_kd": Format(
        identified.pylate_kd,
        identified.clean_pylate,
        "id",
        "id",
        beside=_PYLATE,
        sides=("document_ids", "document_ids"),
    ),
    "colbert": Format(
        identified.colbert, identified.clean_colbert, "id", "id", "arrays", beside=_COLBERT
    ),
    "automodel": Format(
        identified.automodel,
        lists.clean_automodel,
        "named",
        "id",
        "document",
        beside={"rows": "train.json", "corpus": "corpus/train.parquet"},
        sides=("pos_doc", "neg_doc"),
    ),
}
BY_COLUMNS = ("triplet", "n_tuple")
"""Formats whose columns count by their order; see `foreign.columns`."""

ALIASES = {
    "pylate": "n_tuple",
    "flagembedding_reranker": "flagembedding",
    "ms_swift_reranker": "ms_swift",
}
"""Formats of other trainers that are the same file."""

FORMATS = (*BY_COLUMNS, *NAMED)


LINES = tuple(name for name, found in NAMED.items() if found.lines != "objects")
"""Formats that are no table of columns, whatever their files are called."""


def named_of(format: str) -> tuple[Named, Named]:
    """What names the queries and the documents of a format."""
    found = NAMED.get(format)
    return (found.queries, found.documents) if found else ("text", "text")
