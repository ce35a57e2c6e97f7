"""Names of columns: the usual ones of each role, which of them a file has, and what to say of none.

Auto means: the usual names, in this order, first as they are written here, then whatever their
case and punctuation (`Query ID` is `query_id`).
"""

from collections.abc import Sequence

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO

_DOCUMENT_IDS = ("doc_id", "_id", "id", "docid", "document_id", "corpus-id", "pid", "passage_id",
                 "docno", "did")  # fmt: skip
_GRADES = ("grade", "label", "relevance", "rel", "judgement", "judgment", "relevance_grade",
           "relevance_label", "relevant", "is_relevant", "qrel", "gain", "rating", "score",
           "relevance_score", "weight")  # fmt: skip

USUAL: dict[str, tuple[str, ...]] = {
    "doc_id": _DOCUMENT_IDS,
    "doc_text": ("text", "contents", "content", "body", "passage", "document", "doc_text",
                 "document_text", "passage_text", "doc", "paragraph", "abstract"),
    "doc_title": ("title",),
    "doc_group": ("group_id",),
    "doc_place": ("group_place",),
    "query_id": ("query_id", "_id", "id", "qid", "question_id", "topic_id"),
    "query_text": ("text", "query", "question", "query_text", "question_text", "topic"),
    "qrels_query_id": ("query_id", "query-id", "qid", "query", "question_id", "topic_id", "topic"),
    "qrels_doc_id": ("doc_id", "corpus-id", "docid", "document_id", "pid", "passage_id", "docno",
                     "did", "document", "doc", "passage"),
    "doc_language": ("language", "lang", "doc_language", "doc_lang", "document_language"),
    "query_language": ("language", "lang", "query_language", "query_lang", "question_language"),
    "grade": _GRADES,
    "iteration": ("iteration", "iter", "q0", "zero", "unused"),
    "query": ("query", "question", "anchor", "query_text"),
    "positive": ("positive", "pos", "positives", "positive_passages", "positive_text", "answer",
                 "passage", "document", "doc", "text", "response"),
    "positive_language": ("positive_language", "positive_lang", "language", "lang",
                          "document_language", "answer_language"),
    "pool_text": ("text", "passage", "document", "contents", "content", "body", "doc"),
}  # fmt: skip
"""Names of each role, the likeliest first."""

LABELS = (
    "label", "labels", "is_relevant", "relevant", "is_positive", "is_correct", "relevance",
    "relevances", "relevance_label", "relevance_labels", "grade", "grades", "rel", "rels", "qrel",
    "gold_label", "is_duplicate", "is_selected", "is_match", "is_supporting", "judgement",
    "judgment",
)  # fmt: skip
"""Names of what tells positives from others, and of nothing else."""

PANDAS_INDEX = ("", "Unnamed: 0", "__index_level_0__")
"""What pandas calls the index that it writes as a column."""

_WORDS = frozenset({
    "id", "ids", "query", "queries", "question", "document", "documents", "doc", "docs", "docid",
    "docno", "corpus", "passage", "pid", "qid", "did", "text", "title", "body", "content",
    "contents", "positive", "negative", "anchor", "answer", "sentence", "score", "grade",
    "relevance", "label", "rel", "iteration", "topic", "url", "no", "nr", "number", "key", "name",
})  # fmt: skip


_NAMES = frozenset(
    "".join(letter for letter in name if letter.isalnum())
    for role, names in USUAL.items()
    if role != "iteration"
    for name in (*names, "sentence1", "sentence2", "sentence_a", "sentence_b")
)


def plain(name: str) -> str:
    """A name without case and punctuation."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def usual(role: str, names: Sequence[str]) -> str | None:
    """The column among `names` that plays a role by its usual name, or None."""
    for wanted in USUAL[role]:
        if wanted in names:
            return wanted
    known = {plain(name): name for name in reversed(names)}
    return next((known[plain(wanted)] for wanted in USUAL[role] if plain(wanted) in known), None)


_POSITIVES = frozenset(plain(name) for name in USUAL["positive"][:5])


def positives_among(names: Sequence[str]) -> list[str]:
    """Columns whose usual name says that they hold positives, numbered ones (`positive_2`) too."""
    return [n for n in names if plain(n) in _POSITIVES or plain(n).rstrip(_DIGITS) in _POSITIVES]


_DIGITS = "0123456789"
_LABELS = frozenset(map(plain, LABELS))


def names_a_label(name: str) -> bool:
    """Whether a column is called what only labels are called."""
    return plain(name) in _LABELS


def some(*roles: str) -> str:
    """The usual names of roles, for a message."""
    return "; ".join(", ".join(USUAL[role][:6]) for role in roles)


def names_a_column(field: str) -> bool:
    """Whether a field of a first row reads like a column's name and not like a value."""
    field = field.strip()
    if not field or len(field) > 40:
        return False
    if plain(field) in _NAMES:
        return True
    parts = "".join(" " + c if c.isupper() else c for c in field) if field.isidentifier() else field
    words = parts.casefold().replace("_", " ").replace("-", " ").split()
    return 1 <= len(words) <= 3 and all(word in _WORDS for word in words)


def required(
    where: str, names: Sequence[str], key: str, setting: str, role: str | None = None
) -> str:
    """The column that `input.KEY` names or, for auto, that has a usual name of the role.

    Raises DataError, naming the columns there are.
    """
    role = role or key
    found = usual(role, names) if setting == AUTO else setting if setting in names else None
    if found is not None:
        return found
    there = f"its columns are {', '.join(map(repr, names))}"
    if setting != AUTO:
        raise DataError(
            f"{where} has no column {setting!r}; {there}. Name the right one as input.{key}"
        )
    raise DataError(
        f"{where} has no column of a usual name for input.{key} ({', '.join(USUAL[role])}); {there}"
        f". Name it as input.{key}"
    )


def optional(where: str, names: Sequence[str], key: str, setting: str | None) -> str | None:
    """As `required`, but None for null, and for auto where there is no such column."""
    if setting is None:
        return None
    return usual(key, names) if setting == AUTO else required(where, names, key, setting)
