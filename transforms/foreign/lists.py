"""Lists of texts: FlagEmbedding, Tevatron, NeMo Automodel inline and ms-swift."""

from collections.abc import Iterable

from negmine.schemas import JsonObject
from negmine.transforms.foreign.rows import (
    Negative,
    Passage,
    Row,
    finite,
    listed,
    named,
    text,
)
from negmine.transforms.readers.rows import Rejected

Entries = set[tuple[str, int]]


def numbered(passages: Iterable[Passage], faults: Iterable[str] = ()) -> tuple[Negative, ...]:
    """Negatives of a row's one list, with what is wrong with each where that is known."""
    wrong = dict(enumerate(faults, 1))
    return tuple(Negative("", at, p, wrong.get(at, "")) for at, p in enumerate(passages, 1))


def kept(count: int, bad: Entries) -> list[int]:
    """Places, from 0, of the one list's entries that are not bad."""
    return [at for at in range(count) if ("", at + 1) not in bad]


def flagembedding(number: int, record: JsonObject) -> Row:
    """`query`, `pos`, `neg` and the scores beside them."""
    positives = listed(record.get("pos"), "pos")
    negatives = listed(record.get("neg"), "neg")
    return Row(
        number,
        text(record.get("query"), "query"),
        tuple(text(value, f"pos {at}") for at, value in enumerate(positives, 1)),
        numbered(
            (text(value, f"neg {at}") for at, value in enumerate(negatives, 1)),
            finite(record.get("neg_scores"), len(negatives), record.get("pos_scores")),
        ),
    )


def clean_flagembedding(record: JsonObject, bad: Entries) -> JsonObject | None:
    """Without bad entries of `neg`."""
    keep = [record["neg"][at] for at in kept(len(record["neg"]), bad)]
    return {**record, "neg": keep} if keep else None


def _passage(value: object, what: str) -> Passage:
    if not isinstance(value, dict):
        raise Rejected("wrong_type", f"{what} is {type(value).__name__}, expected an object")
    return named(value.get("docid"), value.get("text"), value.get("title"), what)


def scores_of(passages: list[object]) -> object:
    """Scores of passages where any has one."""
    found = [p.get("score") if isinstance(p, dict) else None for p in passages]
    scored = any(isinstance(p, dict) and "score" in p for p in passages)
    return found if scored else None


def tevatron(number: int, record: JsonObject) -> Row:
    """`positive_passages` and `negative_passages` with identifiers, texts, maybe scores."""
    positives = listed(record.get("positive_passages"), "positive_passages")
    negatives = listed(record.get("negative_passages"), "negative_passages")
    return Row(
        number,
        named(record.get("query_id"), record.get("query"), None, "query"),
        tuple(_passage(value, f"positive passage {at}") for at, value in enumerate(positives, 1)),
        numbered(
            (_passage(value, f"negative passage {at}") for at, value in enumerate(negatives, 1)),
            finite(scores_of(negatives), len(negatives), scores_of(positives)),
        ),
    )


def clean_tevatron(record: JsonObject, bad: Entries) -> JsonObject | None:
    """Without bad passages."""
    passages = record["negative_passages"]
    keep = [passages[at] for at in kept(len(passages), bad)]
    return {**record, "negative_passages": keep} if keep else None


def documents_of(value: object, what: str) -> list[object]:
    """A document, or several, as a list: Automodel takes both. Raises Rejected."""
    return listed(value if isinstance(value, list) else [value], what)


def _inline(value: object, what: str) -> Passage:
    return text(value.get("text") if isinstance(value, dict) else value, what)


def automodel_inline(number: int, record: JsonObject) -> Row:
    """`query` or `question`, `pos_doc`, `neg_doc`: texts, or objects with `text` and `score`."""
    positives = documents_of(record.get("pos_doc"), "pos_doc")
    negatives = documents_of(record.get("neg_doc"), "neg_doc")
    asked = "query" if record.get("query") is not None else "question"
    return Row(
        number,
        text(record.get(asked), asked),
        tuple(_inline(value, f"pos_doc {at}") for at, value in enumerate(positives, 1)),
        numbered(
            (_inline(value, f"neg_doc {at}") for at, value in enumerate(negatives, 1)),
            finite(scores_of(negatives), len(negatives), scores_of(positives)),
        ),
    )


def clean_automodel(record: JsonObject, bad: Entries) -> JsonObject | None:
    """Without bad entries of `neg_doc`."""
    documents = documents_of(record["neg_doc"], "neg_doc")
    keep = [documents[at] for at in kept(len(documents), bad)]
    return {**record, "neg_doc": keep} if keep else None


def _said(value: object, what: str) -> Passage:
    """The text of a conversation: what is said in it, its system message apart."""
    told = [
        message.get("content")
        for message in listed(value, what)
        if isinstance(message, dict) and message.get("role") != "system"
    ]
    if len(told) != 1:
        raise Rejected("wrong_type", f"{what} has {len(told)} messages, expected one")
    return text(told[0], what)


def ms_swift(number: int, record: JsonObject) -> Row:
    """`messages`, `positive_messages` and `negative_messages`."""
    both = [listed(record.get(key), key) for key in ("positive_messages", "negative_messages")]
    positives, negatives = both
    return Row(
        number,
        _said(record.get("messages"), "messages"),
        tuple(_said(value, f"positive {at}") for at, value in enumerate(positives, 1)),
        numbered(_said(value, f"negative {at}") for at, value in enumerate(negatives, 1)),
    )


def clean_ms_swift(record: JsonObject, bad: Entries) -> JsonObject | None:
    """Without bad conversations."""
    conversations = record["negative_messages"]
    keep = [conversations[at] for at in kept(len(conversations), bad)]
    return {**record, "negative_messages": keep} if keep else None
