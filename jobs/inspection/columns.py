"""What the columns of some rows hold, whatever they are called."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from negmine.jobs.inspection.heads import Head
from negmine.transforms.readers.tables.headers import is_number
from negmine.transforms.readers.tables.names import PANDAS_INDEX, USUAL, plain
from negmine.transforms.readers.tables.nested import TEXTS, is_conversation, is_nothing

Kind = Literal[
    "text", "id", "number", "texts", "numbers", "object", "objects", "conversation",
    "conversations", "empty", "other",
]  # fmt: skip
KINDS: dict[str, str] = {
    "text": "text",
    "id": "identifiers",
    "number": "numbers",
    "texts": "lists of texts",
    "numbers": "lists of numbers",
    "object": "objects",
    "objects": "lists of objects",
    "conversation": "messages",
    "conversations": "lists of messages",
    "empty": "nothing",
    "other": "values of another type",
}
"""How each kind is called in front of people."""

PASSAGES: frozenset[str] = frozenset({"text", "texts", "object", "objects", "conversations"})
"""Kinds that may hold documents."""

_INSIDE = frozenset(plain(name) for name in (*TEXTS, *USUAL["doc_text"], "context", "answer"))


@dataclass(frozen=True)
class Column:
    """A column: its name, what it holds, and mean words of its texts.

    `inside` is the way to the texts in its objects, such as `.text` or `[].text`; empty where
    they are the values themselves, or objects whose text has a usual name.
    """

    name: str
    kind: Kind
    words: float = 0.0
    inside: str = ""
    values: tuple[object, ...] = ()

    @property
    def path(self) -> str:
        """How a setting names what it holds."""
        return self.name + self.inside

    @property
    def index(self) -> bool:
        """Whether it is the index that pandas wrote."""
        return self.name in PANDAS_INDEX


def columns_of(head: Head) -> list[Column]:
    """The columns of a file, by the rows of its head."""
    found = []
    for name in head.names:
        values = [row.get(name) for row in head.rows]
        kept = tuple(value for value in values if not is_nothing(value) and value != "")
        kind: Kind = "other" if name in head.unread else _kind(kept)
        found.append(Column(name, kind, _words(kept), _inside(kind, kept), kept))
    return found


def _kind(values: Sequence[object]) -> Kind:
    if not values:
        return "empty"
    kinds = Counter(_kind_of(value) for value in values)
    # An empty list says nothing of what a list holds.
    if len(kinds) > 1:
        kinds.pop("empty", None)
    (first, most) = kinds.most_common(1)[0]
    if first in ("text", "number") and kinds["number"]:
        return "number" if kinds["number"] == len(values) else _text_or_id(values)
    if first == "text":
        return _text_or_id(values)
    return first if 2 * most > len(values) else "other"


def _text_or_id(values: Sequence[object]) -> Kind:
    """Identifiers are one word each, of digits, hexadecimal or with a scheme, and no prose."""
    texts = [str(value) for value in values]
    bare = [text for text in texts if text.isascii() and not any(c.isspace() for c in text.strip())]
    coded = [text for text in bare if any(c.isdigit() or c in "/_:" for c in text)]
    return "id" if len(coded) >= 0.95 * len(texts) else "text"


def _kind_of(value: object) -> Kind:
    match value:
        case bool() | int() | float():
            return "number"
        case str():
            return "number" if is_number(value) or value in ("True", "False") else "text"
        case dict():
            return "object"
        case list():
            return _kind_of_list(value)
    return "other"


def _kind_of_list(value: list[object]) -> Kind:
    values = [item for item in value if not is_nothing(item)]
    if not values:
        return "empty"
    if is_conversation(values):
        return "conversation"
    if all(isinstance(item, str) for item in values):
        return "texts"
    if all(isinstance(item, bool | int | float) for item in values):
        return "numbers"
    if all(isinstance(item, dict) for item in values):
        return "objects"
    if all(is_conversation(item) for item in values):
        return "conversations"
    return "other"


def _words(values: Sequence[object]) -> float:
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    counts = [len(text.split()) for text in texts if isinstance(text, str)]
    return sum(counts) / len(counts) if counts else 0.0


def _inside(kind: Kind, values: Sequence[object]) -> str:
    """The way from a column of objects to their texts."""
    if kind == "object":
        items, way = [value for value in values if isinstance(value, dict)], "."
    elif kind == "objects":
        items = [i for value in values if isinstance(value, list) for i in value]
        items, way = [item for item in items if isinstance(item, dict)], "[]."
    else:
        return ""
    keys = dict.fromkeys(key for item in items for key in item)
    texts = [key for key in keys if _holds_texts([item.get(key) for item in items])]
    plain_texts = [key for key in texts if _is_text([item.get(key) for item in items])]
    if any(key in TEXTS for key in plain_texts):
        return ""
    known = [key for key in texts if plain(key) in _INSIDE or plain(key).endswith("text")]
    best = known or sorted(texts, key=lambda key: -_words([item.get(key) for item in items]))
    return way + best[0] if best else ""


def _is_text(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values if not is_nothing(value))


def _holds_texts(values: Sequence[object]) -> bool:
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    kept = [text for text in texts if not is_nothing(text)]
    return bool(kept) and all(isinstance(text, str) for text in kept)
