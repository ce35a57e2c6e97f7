"""The rows that every reader yields, and the checks that make a bad row instead of a good one."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from reprlib import Repr
from typing import Any, NamedTuple

from negmine.schemas.languages import is_placeholder, language_code
from negmine.transforms.storage.digests import Digest

EXCERPT = 200
MOST_ID_BYTES = 65_536
MOST_GRADE = 3.4028234e38
UNGRADED = object()
"""The grade of a row whose input has no grades."""


@dataclass(frozen=True)
class Source:
    """Something that a worker reads by itself, from its start to its end.

    `kind` says what the rows are: documents, queries, qrels, pairs, texts, functions or labels.
    `path` is where they are, `name` what a dead letter calls it, relative to the input; never
    absolute.
    `evaluation` says that the rows are of an evaluation split: read to keep them out of training.
    `titled` says that texts of a pool are read with their titles, as the positives are.
    `digests` are what the files that are read must have: one, or of a data set one a file.
    """

    kind: str
    path: str
    name: str
    evaluation: bool = False
    titled: bool = False
    digests: tuple[Digest, ...] = ()

    @property
    def digest(self) -> Digest | None:
        """That of the file at `path`; None where any content is taken."""
        return self.digests[0] if self.digests else None


class Document(NamedTuple):
    """A document: line from 1, identifier, title and text joined by one space.

    `group` is the longer document that it is a passage of, `place` its number in that; both None
    where the input says neither. `language` is its code, None where it is not known.
    """

    line: int
    id: str
    text: str
    group: str | None = None
    place: int | None = None
    language: str | None = None


class Query(NamedTuple):
    """A query: line from 1, identifier, text, language code."""

    line: int
    id: str
    text: str
    language: str | None = None


class Tag(NamedTuple):
    """What a column says of a text's language, and whether the config names the column."""

    value: object
    named: bool


class Judgement(NamedTuple):
    """A row of qrels: a positive of the query where the grade is above 0 or there is none.

    `grade` is None where the input has no grades, which is not the grade 1.
    """

    line: int
    query_id: str
    doc_id: str
    grade: float | None

    @property
    def positive(self) -> bool:
        """Whether the document is a positive of the query."""
        return self.grade is None or self.grade > 0


class Label(NamedTuple):
    """A reviewed pair: a further positive of the query, or a confirmed negative.

    A positive that is not `own` answers the query and is none to train on.
    """

    line: int
    query_id: str
    doc_id: str
    positive: bool
    own: bool = True


class Bad(NamedTuple):
    """A row that cannot be used: `code` is the countable reason, `id` set where it was readable."""

    line: int
    kind: str
    code: str
    reason: str
    excerpt: str
    id: str | None = None


Row = Document | Query | Judgement | Label | Bad


def text_id(text: str) -> str:
    """Identifier of a text that has none: 20 hex digits (80 bits) of its BLAKE2b hash."""
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


class Rejected(ValueError):
    """Why a value cannot be used; readers turn it into a `Bad` row and go on."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def bad(line: int, kind: str, why: Rejected, raw: object, identity: str | None = None) -> Bad:
    """The dead letter of a row; `raw` is the row as bytes, text or a sequence of values."""
    if isinstance(raw, list | tuple):
        pieces = [readable(value) for value in raw if value is not None]
        return Bad(line, kind, why.code, why.reason, "\t".join(pieces)[:EXCERPT], identity)
    return Bad(line, kind, why.code, why.reason, readable(raw)[:EXCERPT], identity)


_repr = Repr()
_repr.maxlevel, _repr.maxlong = 3, EXCERPT


def readable(value: object) -> str:
    """The start of a value as text that can be written; never fails."""
    if isinstance(value, bytes):
        return value[: 4 * EXCERPT].decode("utf-8", "replace")
    if isinstance(value, str):
        return value[:EXCERPT].encode("utf-8", "replace").decode()
    return _repr.repr(value).encode("utf-8", "replace").decode()


def string(value: object, what: str) -> str:
    """A value as text that UTF-8 can hold. Raises Rejected, naming `what`."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise Rejected(
                "broken_utf8", f"{what} is not UTF-8: {error.reason} at byte {error.start}"
            ) from None
    if value is None:
        raise Rejected("missing", f"{what} is missing")
    if not isinstance(value, str):
        raise Rejected("wrong_type", f"{what} is {type(value).__name__}, expected text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Rejected(
                "lone_surrogate", f"{what} holds a lone surrogate at character {error.start}"
            ) from None
    return value


def identifier(value: object, what: str = "id") -> str:
    """An identifier: text that is not blank, or an integer. Raises Rejected."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = string(value, what)
    if not text or text.isspace():
        raise Rejected("empty_id", f"{what} is empty")
    size = _bytes(text)
    if size > MOST_ID_BYTES:
        raise Rejected("too_long", f"{what} of {size} bytes is over {MOST_ID_BYTES}")
    return text


def joined(text: object, title: object, limit: int, what: str = "text") -> str:
    """Title and text joined by a space and stripped. Raises Rejected: empty, over `limit` bytes.

    A title that cannot be used, or makes a text too long that is not, is left out.
    """
    body = string(text, what)
    head = heading(title)
    whole = f"{head} {body}".strip() if head else body.strip()
    if not whole:
        raise Rejected("empty_text", f"{what} is empty")
    size = _bytes(whole)
    if size > limit and head:
        whole = body.strip() or whole
        size = _bytes(whole)
    if size > limit:
        raise Rejected("too_long", f"{what} of {size} bytes is over max_text_bytes {limit}")
    return whole


def heading(title: object) -> str:
    """A title as text: a number is its decimal text, what is no text or number is empty."""
    if isinstance(title, str | bytes):
        try:
            return string(title, "title")
        except Rejected:
            return ""
    if isinstance(title, bool) or not isinstance(title, int | float | Decimal):
        return ""
    # More digits than Python writes at once are no title.
    small = isinstance(title, int) and title.bit_length() < 1024
    return str(title) if small or (not isinstance(title, int) and isfinite(title)) else ""


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def text_row(
    kind: str,
    line: int,
    identity: object,
    text: object,
    title: object,
    limit: int,
    raw: object,
    tag: Tag | None = None,
    group: object = None,
    place: object = None,
) -> Row:
    """A Document or a Query of these values, as `kind` says, or a Bad row of `raw`.

    `tag` says its language, see `language_of`.
    """
    known: str | None = None
    try:
        known = identifier(identity)
        whole = joined(text, title, limit)
        of = None if group is None else identifier(group, "group")
        at = None if place is None else _place(place)
        code = None if tag is None else language_of(tag.value, tag.named)
    except Rejected as why:
        return bad(line, kind, why, raw, known)
    if kind == "documents":
        return Document(line, known, whole, of, at, code)
    return Query(line, known, whole, code)


def _place(value: object) -> int:
    """A passage's number. Raises Rejected unless it is a whole number, 0 or more."""
    found = int(value) if isinstance(value, str) and value.isdecimal() else value
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 2**63:
        raise Rejected(
            "not_a_place", f"place {readable(value)[:40]!r} is not a whole number from 0"
        )
    return found


def language_of(value: object, named: bool) -> str | None:
    """The language code that a column states; None where its value is missing, blank or says so.

    A value that is no tag, such as `python` in a column of programming languages, is none where
    the column was found by its usual name, and is Rejected where it was `named` in the config.
    """
    tag = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if tag is None or tag != tag or (isinstance(tag, str) and is_placeholder(tag)):
        return None
    code = language_code(tag, certain=named) if isinstance(tag, str) else None
    if code is None and named:
        shown = readable(value)[:40]
        raise Rejected(
            "not_a_language", f"language {shown!r} is no ISO 639 code or BCP 47 tag, such as pt-BR"
        )
    return code


def judgement_row(line: int, query_id: object, doc_id: object, grade: object, raw: object) -> Row:
    """A Judgement of these values, or a Bad row of `raw`; `grade` as `number`, or UNGRADED."""
    try:
        return Judgement(
            line,
            identifier(query_id, "query id"),
            identifier(doc_id, "document id"),
            None if grade is UNGRADED else number(grade),
        )
    except Rejected as why:
        return bad(line, "qrels", why, raw)


def number(value: Any) -> float:
    """A grade. Raises Rejected unless it is a finite number that float32 can hold."""
    try:
        grade = float(value)
    except (TypeError, ValueError, OverflowError):
        grade = float("nan")
    # Python takes 1_0 for 10.
    written = isinstance(value, str) and "_" in value
    if isinstance(value, bool) or written or not abs(grade) <= MOST_GRADE:
        raise Rejected("not_a_number", f"grade {readable(value)[:40]!r} is not a number")
    return grade
