"""Lists of identifiers, texts beside: MS MARCO, Tevatron 2, PyLate, ColBERT, Automodel."""

from collections.abc import Sequence

from negmine.schemas import JsonObject
from negmine.transforms.foreign.lists import Entries, documents_of, kept, numbered, scores_of
from negmine.transforms.foreign.rows import Negative, Passage, Row, finite, listed, named
from negmine.transforms.readers.rows import Rejected, identifier


def _id(value: object, what: str, key: str = "id") -> Passage:
    return Passage(identifier(value.get(key) if isinstance(value, dict) else value, what), "")


def msmarco(number: int, record: JsonObject) -> Row:
    """`qid`, `pos`, and `neg` by system; an entry is an identifier, or has `pid` and `ce-score`."""
    positives = listed(record.get("pos"), "pos")
    systems = record.get("neg")
    if not isinstance(systems, dict):
        raise Rejected(
            "wrong_type", f"neg is {type(systems).__name__}, expected system: [pid, ...]"
        )
    if not any(systems.values()):
        raise Rejected("empty_list", "neg names no document")
    return Row(
        number,
        Passage(identifier(record.get("qid"), "qid"), ""),
        tuple(_id(value, f"pos {at}", "pid") for at, value in enumerate(positives, 1)),
        tuple(
            Negative(system, at, _id(value, f"neg {system} {at}", "pid"), _msmarco_fault(value))
            for system, values in systems.items()
            for at, value in enumerate(listed(values, f"neg {system}") if values else [], 1)
        ),
    )


def _msmarco_fault(value: object) -> str:
    scored = isinstance(value, dict) and "ce-score" in value
    return finite([value["ce-score"]], 1)[0] if scored else ""  # type: ignore[index]


def clean_msmarco(record: JsonObject, bad: Entries) -> JsonObject | None:
    """Without bad entries of each system, also in the lists by system beside `neg`."""
    sizes = {system: len(values or []) for system, values in record["neg"].items()}

    def left(system: str, values: object) -> object:
        if not isinstance(values, list) or len(values) != sizes.get(system):
            return values
        return [value for at, value in enumerate(values, 1) if (system, at) not in bad]

    cleaned = {
        key: {system: left(system, values) for system, values in found.items()}
        for key, found in record.items()
        if isinstance(found, dict)
    }
    return {**record, **cleaned} if any(cleaned["neg"].values()) else None


def tevatron_v2(number: int, record: JsonObject) -> Row:
    """`query_id`, `query_text`, and identifiers of documents."""
    sides = ("positive_document_ids", "negative_document_ids")
    positives, negatives = (listed(record.get(key), key) for key in sides)
    return Row(
        number,
        named(record.get("query_id"), record.get("query_text"), None, "query"),
        tuple(_id(value, f"positive {at}") for at, value in enumerate(positives, 1)),
        numbered(_id(value, f"negative {at}") for at, value in enumerate(negatives, 1)),
    )


def clean_tevatron_v2(record: JsonObject, bad: Entries) -> JsonObject | None:
    """Without bad identifiers."""
    ids = record["negative_document_ids"]
    keep = [ids[at] for at in kept(len(ids), bad)]
    return {**record, "negative_document_ids": keep} if keep else None


def pylate_kd(number: int, record: JsonObject) -> Row:
    """`query_id`, `document_ids` with the positive first, `scores` beside them."""
    ids = listed(record.get("document_ids"), "document_ids")
    if len(ids) < 2:
        raise Rejected("empty_list", "document_ids holds a positive and no negative")
    scores = record.get("scores")
    above, below = (scores[:1], scores[1:]) if isinstance(scores, list) else (None, scores)
    return Row(
        number,
        Passage(identifier(record.get("query_id"), "query_id"), ""),
        (_id(ids[0], "document 1"),),
        numbered(
            (_id(value, f"document {at}") for at, value in enumerate(ids[1:], 2)),
            finite(below, len(ids) - 1, above),
        ),
    )


def clean_pylate(record: JsonObject, bad: Entries) -> JsonObject | None:
    """Without bad documents."""
    positive, *ids = record["document_ids"]
    keep = [ids[at] for at in kept(len(ids), bad)]
    return {**record, "document_ids": [positive, *keep]} if keep else None


def colbert(number: int, values: Sequence[object]) -> Row:
    """`[qid, pid+, pid-, ...]`, or `[qid, [pid, score], ...]`: the positive is the first."""
    qid, *rest = values
    if len(rest) < 2:
        raise Rejected("empty_list", "it names a query, a positive and no negative")
    scored = [isinstance(value, list) for value in rest]
    if any(scored) and not all(len(v) == 2 if isinstance(v, list) else False for v in rest):
        raise Rejected("wrong_type", "some documents have a score and some have none")
    pids = [value[0] if isinstance(value, list) else value for value in rest]
    scores = [value[1] for value in rest if isinstance(value, list)] if all(scored) else None
    return Row(
        number,
        Passage(identifier(qid, "qid"), ""),
        (_id(pids[0], "document 1"),),
        numbered(
            (_id(value, f"document {at}") for at, value in enumerate(pids[1:], 2)),
            finite(scores[1:] if scores else None, len(pids) - 1, scores[:1] if scores else None),
        ),
    )


def clean_colbert(values: list[object], bad: Entries) -> list[object] | None:
    """Without bad documents."""
    keep = kept(len(values) - 2, bad)
    return [*values[:2], *(values[at + 2] for at in keep)] if keep else None


def automodel(number: int, record: JsonObject) -> Row:
    """`question_id`, `question`, and identifiers, or objects with `id` and `score`."""
    positives = documents_of(record.get("pos_doc"), "pos_doc")
    negatives = documents_of(record.get("neg_doc"), "neg_doc")
    return Row(
        number,
        named(record.get("question_id"), record.get("question"), None, "question"),
        tuple(_id(value, f"pos_doc {at}") for at, value in enumerate(positives, 1)),
        numbered(
            (_id(value, f"neg_doc {at}") for at, value in enumerate(negatives, 1)),
            finite(scores_of(negatives), len(negatives), scores_of(positives)),
        ),
    )
