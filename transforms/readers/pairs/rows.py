"""What becomes of a row of pairs: a query, its positives, and documents that are none."""

from collections.abc import Iterator, Sequence

from negmine.schemas.inputs import AUTO
from negmine.transforms.readers.pairs.columns import Config, PairColumns
from negmine.transforms.readers.pairs.labels import grades
from negmine.transforms.readers.rows import (
    Document,
    Judgement,
    Query,
    Rejected,
    Row,
    bad,
    joined,
    language_of,
    text_id,
)
from negmine.transforms.readers.tables.nested import (
    TEXTS,
    elements,
    is_conversation,
    is_nothing,
    message,
)

Values = list[object]


def pair_rows(
    line: int, values: Values, raw: object, columns: PairColumns, config: Config
) -> Iterator[Row]:
    """The rows of a line of pairs, whose `values` are those of the paths' columns.

    A query, a document and a judgement for each positive; a document for each given negative and
    for each text whose label is not above `label_above`, which has a judgement of grade 0.
    """
    limit = config.max_text_bytes
    try:
        parts = [path.of(value) for path, value in zip(columns.paths, values, strict=True)]
        query = joined(_one(parts[0]), None, limit, "query")
        end = 1 + len(columns.positives)
        positives = _several(parts[1:end], "positive")
        negatives = _several(parts[end : end + len(columns.negatives)], "negative", least=0)
        labels: list[float | None] = [None] * len(positives)
        more = dict(zip(columns.paths[1:], parts[1:], strict=True))
        if columns.label is not None:
            labels = grades(more[columns.label], len(positives), config.label_above)
        asked, answered = (
            None
            if path is None
            else language_of(more[path], getattr(config, f"{role}_language") != AUTO)
            for role, path in (
                ("query", columns.query_language),
                ("positive", columns.positive_language),
            )
        )
    except Rejected as why:
        yield bad(line, "qrels", why, raw)
        return
    languages = (asked, answered)
    yield from _judged(line, query, positives, labels, raw, limit, languages)
    seen: set[str] = set()
    for what, given in negatives:
        try:
            text = positive_text(given, limit, what)
        except Rejected as why:
            yield bad(line, "qrels", why, raw)
            continue
        if text not in seen:
            yield Document(line, text_id(text), text, language=answered)
        seen.add(text)


def _judged(
    line: int,
    query: str,
    positives: Sequence[tuple[str, object]],
    labels: Sequence[float | None],
    raw: object,
    limit: int,
    languages: tuple[str | None, str | None],
) -> Iterator[Row]:
    query_id = text_id(query)
    seen: set[str] = set()
    for (what, given), label in zip(positives, labels, strict=True):
        try:
            positive = positive_text(given, limit, what)
        except Rejected as why:
            yield bad(line, "qrels", why, raw)
            continue
        doc_id = text_id(positive)
        # Of a line each text once: where it stands tells it from the same text elsewhere.
        if not seen:
            yield Query(line, query_id, query, languages[0])
        if doc_id not in seen:
            yield Document(line, doc_id, positive, language=languages[1])
        seen.add(doc_id)
        yield Judgement(line, query_id, doc_id, label)


def _several(parts: Values, role: str, least: int = 1) -> list[tuple[str, object]]:
    """What each text of a role is called and its value; null and NaN pad a list and are none.

    Of several columns blank ones pad too. Raises Rejected for a list or columns without any.
    """
    if len(parts) == 1 and not isinstance(parts[0], list):
        return [(role, parts[0])] if least or not _pads(parts[0]) else []
    values = [value for part in parts for value in elements(part)]
    columns = len(parts) > 1
    found = [
        (f"{role} {at} of {len(values)}", given)
        for at, given in enumerate(values, 1)
        if not is_nothing(given) and not (columns and _pads(given))
    ]
    if len(found) < least:
        raise Rejected("empty_list", f"{role} is a list without a text")
    return found


def _pads(value: object) -> bool:
    return is_nothing(value) or (isinstance(value, str | bytes) and not value.strip())


def _one(value: object) -> object:
    """The text of a query; of a conversation, its last message; of a list, its only text."""
    if isinstance(value, list) and is_conversation(value):
        return message(value)
    if isinstance(value, list):
        texts = [text for text in value if not is_nothing(text)]
        if len(texts) != 1:
            raise Rejected("wrong_type", f"query is a list of {len(texts)}, expected one text")
        value = texts[0]
    if isinstance(value, dict):
        return _text_in(value, "query")
    return value


def positive_text(value: object, limit: int, what: str) -> str:
    """A document's text: a text, or an object with a text and maybe a title. Raises Rejected."""
    if not isinstance(value, dict):
        return joined(value, None, limit, what)
    return joined(_text_in(value, what), value.get("title"), limit, what)


def _text_in(value: dict[str, object], what: str) -> object:
    name = next((name for name in TEXTS if value.get(name) is not None), None)
    if name is None:
        raise Rejected("missing", f"{what} is an object without a text ({', '.join(TEXTS)})")
    return value[name]
