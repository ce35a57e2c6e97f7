"""Names that people give to columns and files, beyond those that the readers take by themselves."""

import re
from collections.abc import Iterable, Sequence

from negmine.transforms.readers.tables.names import LABELS, USUAL, names_a_label, plain

QUERY = (
    *USUAL["query"], "anchor_text", "search_query", "user_query", "sentence1", "sentence_a",
    "text1", "text_a", "question1", "messages", "instruction", "prompt", "claim",
)  # fmt: skip
DECLARED = (
    "positive", "pos", "positives", "positive_passages", "positive_passage", "positive_text",
    "positive_texts", "positive_document", "positive_documents", "positive_doc", "positive_docs",
    "pos_doc", "pos_docs", "positive_ctxs", "positive_contexts", "positive_messages", "relevant",
    "relevant_document", "relevant_documents", "relevant_docs", "gold", "gold_passage", "chosen",
)  # fmt: skip
"""Names that say that a text is a positive."""

ANSWERING = (
    "context", "contexts", "passage", "passages", "document", "documents", "doc", "docs", "answer",
    "answers", "text", "response", "sentence2", "sentence_b", "text2", "text_b", "question2",
    "completion", "output", "content", "contents", "body", "paragraph", "abstract", "evidence",
)  # fmt: skip
"""Names of texts that answer a query, or are compared with it; a label may say how well."""

NEGATIVE = (
    "negative", "neg", "negatives", "negative_passages", "negative_text", "negative_texts",
    "hard_negative", "hard_negatives", "negative_document", "negative_documents", "negative_docs",
    "neg_doc", "neg_docs", "negative_ctxs", "hard_negative_ctxs", "negative_messages", "rejected",
)  # fmt: skip
LABEL = (
    *LABELS, "gold", "target", "targets", "class", "duplicate", "match", "correct", "supporting",
    "relevance_score", "rating", "similarity", "similarity_score", "score", "scores", "type",
)  # fmt: skip
_LABEL_ENDS = frozenset({"label", "labels", "relevance", "relevant", "grade", "grades", "qrel"})
_SUGGESTS = frozenset({
    "rank", "ranking", "distance", "dist", "winner", "preferred", "preference", "stars", "feedback",
    "verdict", "thumbs", "vote", "opinion", "assessment",
})  # fmt: skip
_STRENGTH = frozenset({"difficulty", "hardness", "level", "priority", "importance", "urgency"})
_AGAINST = (
    "neg", "distract", "incorrect", "wrong", "reject", "irrelevant", "nonrelevant", "impossible",
    "unrelated", "unanswerable",
)  # fmt: skip
_ID = re.compile(
    "(u|uu|gu|q|p|d|c|s|doc|document|query|question|passage|para|paragraph|sentence|text|chunk|"
    "context|group|page|topic|row|line|item|product|user|url|answer|example|sample|pair|source)?"
    "(id|ids|idx|index|indices)"
)
_NOT = frozenset({"not", "non", "no", "hn", "bad"})
_PLACE = frozenset({"idx", "index", "indices", "answer", "correct", "label", "gold", "target"})


def words(name: str) -> list[str]:
    """The words of a column's name, in lower case."""
    apart = "".join(" " + c if c.isupper() and name[:1].islower() else c for c in name)
    return [word for word in re.split(r"[\W_]+", apart.casefold()) if word]


def is_label(name: str) -> bool:
    """Whether a column's name says that it tells positives from others."""
    ends = (words(name) or [""])[-1] in _LABEL_ENDS
    return not is_against(name) and (bool(named([name], LABEL)) or ends)


def says_labels(name: str) -> bool:
    """Whether a name says so of labels and of nothing else, wherever it stands."""
    ends = (words(name) or [""])[-1] in _LABEL_ENDS
    return not is_against(name) and (names_a_label(name) or ends)


def is_id(name: str) -> bool:
    """Whether a column's name is that of an identifier or a number of rows: doc_id, qid, index."""
    return _ID.fullmatch((words(name) or [""])[-1]) is not None


def suggests(name: str) -> bool:
    """Whether a column's name says that not every row is a positive, and not which are."""
    return any(word in _SUGGESTS for word in words(name))


def is_strength(name: str) -> bool:
    """Whether a name says that high and low are no opinions of a text."""
    return any(word in _STRENGTH for word in words(name))


def is_against(name: str) -> bool:
    """Whether a name says that what it holds is no positive."""
    return any(word.startswith(_AGAINST) or word in _NOT for word in words(name))


def is_proof(name: str) -> bool:
    """Whether a column's name says which of several texts are the right ones."""
    return words(name)[:1] in (["supporting"], ["gold"], ["correct"])


def is_place(name: str) -> bool:
    """Whether a column's name may be that of the place of the positive in a list."""
    return any(word in _PLACE for word in words(name))


_NUMBERED = re.compile(r"(.*?)[ _-]?(\d{1,3})")


def named(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those of `names` that are `wanted`, in the order of `wanted`, whatever case they have."""
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(plain(name), name)
    return list(dict.fromkeys(known[plain(w)] for w in wanted if plain(w) in known))


def numbered(names: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """Columns such as `negative_1`, `negative_2`: of one wanted name, by their numbers."""
    bases = {plain(name) for name in wanted}
    found = []
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match and plain(match[1]) in bases:
            found.append((plain(match[1]), int(match[2]), name))
    base = found[0][0] if found else ""
    return [name for of, _, name in sorted(found) if of == base]


def declares(name: str) -> bool:
    """Whether a column's name says that its texts are positives."""
    return bool(named([name], DECLARED) or numbered([name], DECLARED))


def declared_among(names: Sequence[str]) -> list[str]:
    """All of `names` that say that they hold positives, the usual names first."""
    order = {plain(name): at for at, name in reversed(list(enumerate(DECLARED)))}
    exact = sorted((n for n in names if plain(n) in order), key=lambda n: order[plain(n)])
    several = []
    for base in DECLARED:
        several += [name for name in numbered(names, [base]) if name not in exact]
    return [*exact, *dict.fromkeys(several)]


_POSITIVE = frozenset({"positive", "positives", "pos", "gold", "golden", "relevant"})
_ABOUT = frozenset({
    "score", "scores", "title", "titles", "language", "lang", "source", "type", "label", "labels",
    "rank", "count", "idx", "index", "date", "reason", "name", "names", "category", "query",
    "queries", "question", "questions", "instruction", "prompt", "tag", "tags",
})  # fmt: skip
_SPOKEN = frozenset({"answer", "answers", "span", "spans", "sql"})
"""What a question is answered with, which is seldom the passage that answers it."""

_IDS = frozenset({"id", "ids", "docid", "docids", "pid", "pids", "url", "urls", "uri", "uris"})


def names_ids(name: str) -> bool:
    """Whether a column's name says that it holds identifiers."""
    return (words(name) or [""])[-1] in _IDS


def says_positive(name: str) -> bool:
    """Whether a column's name speaks of positives, and may be that of their texts."""
    found = words(name)
    about = names_ids(name) or not found or found[-1] in _ABOUT or "false" in found
    about = about or (found[-1] in _SPOKEN and found[0] in ("gold", "golden"))
    return not about and not is_against(name) and not _POSITIVE.isdisjoint(found)


def has_role(name: str) -> bool:
    """Whether a column's name says what it is: query, positive, negative, label."""
    known = (*QUERY, *DECLARED, *ANSWERING, *NEGATIVE)
    said = is_label(name) or suggests(name) or says_positive(name)
    return bool(said or named([name], known) or numbered([name], known))


CORPUS = ("corpus", "collection", "documents", "document", "docs", "passages", "articles", "pool")
QUERIES = ("queries", "query", "questions", "topics")
QRELS = ("qrels", "qrel", "judgements", "judgments", "relevance")
PAIRS = ("pairs", "triples", "triplets", "data")


def tokens(name: str) -> list[str]:
    """The words of a file's name, in lower case."""
    return [token for token in re.split(r"[._\- ]+", name.casefold()) if token]


_SPLIT = re.compile(
    "(train|trn|dev|val|valid|test|tst|eval|holdout|heldout)(ing|elopment|idation|uation|set|data|split)?"
    "\\d*"
)


def split_of(name: str) -> str | None:
    """The split that a file's name says, as it is written there in lower case."""
    found = next((token for token in tokens(name) if _SPLIT.fullmatch(token)), None)
    apart = re.search(r"h(?:old|eld)[._\- ]out", name.casefold())
    return found or (apart[0] if apart else None)


def is_split(value: str) -> bool:
    """Whether a value is the name of a split and nothing else."""
    return len(tokens(value)) == 1 and split_of(value) is not None


_SPLITS = ("split", "splits", "fold", "partition", "subset", "usage", "phase")


def names_splits(name: str) -> bool:
    """Whether a column's name says that it holds the split of each row."""
    found = words(name) or [""]
    return found[-1] == "set" or any(word in _SPLITS for word in found)


def is_train(split: str | None) -> bool:
    """Whether a split is the one that is trained on."""
    return split is not None and split.casefold().startswith(("train", "trn"))


def says_negatives(name: str) -> bool:
    """Whether a file's name says that it holds negatives."""
    return any(t.startswith(("neg", "hardneg", "distractor")) for t in tokens(name)) and not any(
        t.startswith(("trip", "pair", "pos")) for t in tokens(name)
    )


def part_of(name: str) -> str | None:
    """Which part of a collection a file's or folder's name says: documents, queries or qrels."""
    words = tokens(name)
    for part, known in (("qrels", QRELS), ("queries", QUERIES), ("documents", CORPUS)):
        if any(word in known for word in words):
            return part
    return None
