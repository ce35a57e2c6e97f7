"""What the columns of some rows hold, whatever they are called."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from negmine.jobs.inspection.heads import Head
from negmine.transforms.readers.tables.headers import is_number
from negmine.transforms.readers.tables.names import PANDAS_INDEX, USUAL, plain
from negmine.transforms.readers.tables.nested import TEXTS, is_conversation, is_nothing

Kind = Literal[
    "text", "id", "number", "texts", "ids", "numbers", "object", "objects", "conversation",
    "conversations", "empty", "other",
]  # fmt: skip
KINDS: dict[str, str] = {
    "text": "text",
    "id": "identifiers",
    "number": "numbers",
    "texts": "lists of texts",
    "ids": "lists of identifiers",
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

_INSIDE = frozenset(
    plain(name) + end
    for name in (*TEXTS, *USUAL["doc_text"], "context", "answer")
    for end in ("", "s")
)
_IDS = frozenset(plain(name) for name in (*USUAL["doc_id"], *USUAL["query_id"], "url", "uri"))
_ABOUT = frozenset(
    plain(name) for name in (*USUAL["doc_title"], *USUAL["doc_language"], "source", "type", "date")
)
"""Names of what an object says about its text."""

_WORDS = re.compile(r"(?<=\S)[\s,;|]+(?=\S)")
_SHORT = 20
"""Letters of what is no text beside one: a language, a kind, a name."""


@dataclass(frozen=True)
class Column:
    """A column: its name, what it holds, and mean words of its texts.

    `inside` is the way to the texts in its objects, such as `.text` or `[].text`; empty where
    they are the values themselves, or objects whose text has a usual name. `several` are the ways
    among which that would have to be chosen.
    """

    name: str
    kind: Kind
    words: float = 0.0
    inside: str = ""
    values: tuple[object, ...] = ()
    several: tuple[str, ...] = ()

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
        ways: list[str] = []
        if kind in ("object", "objects"):
            kind, ways = _objects(kind, kept)
        elif kind == "texts" and _text_or_id(_items(kept)) == "id":
            kind = "ids"
        inside = ways[0] if len(ways) == 1 else ""
        several = tuple(name + way for way in ways) if len(ways) > 1 else ()
        found.append(Column(name, kind, _words(kept), inside, kept, several))
    return found


def _items(values: Sequence[object]) -> list[object]:
    """The values, those in lists one by one, without what only pads."""
    items = [item for value in values for item in (value if isinstance(value, list) else [value])]
    return [item for item in items if not is_nothing(item) and item != ""]


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
    """Identifiers are words of digits, hexadecimal or with a scheme, one or several, no prose."""
    texts = [str(value) for value in values]
    coded = [text for text in texts if text.isascii() and all(map(_is_coded, _WORDS.split(text)))]
    return "id" if len(coded) >= 0.95 * len(texts) else "text"


def _is_coded(word: str) -> bool:
    return any(letter.isdigit() or letter in "/_:" for letter in word)


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


def _objects(
    kind: Literal["object", "objects"], values: Sequence[object]
) -> tuple[Kind, list[str]]:
    """What objects hold, and the ways to what may be their texts.

    No way: the text has a usual name, or there is none.
    """
    items = [item for item in _items(values) if isinstance(item, dict)]
    keys = dict.fromkeys(key for item in items for key in item)
    held = {key: _items([item.get(key) for item in items]) for key in keys}
    texts = [key for key in keys if _hold_texts(held[key])]
    ids = [key for key in texts if plain(key) in _IDS or _text_or_id(held[key]) == "id"]
    texts = [key for key in texts if key not in ids]
    alone = [key for key in texts if plain(key) not in _ABOUT]
    if ids and not alone:
        return ("id" if kind == "object" else "ids"), []
    scalar = [key for key in texts if not any(isinstance(i.get(key), list) for i in items)]
    if any(key in TEXTS for key in scalar):
        return kind, []
    known = [key for key in texts if plain(key) in _INSIDE]
    known = known or [key for key in texts if plain(key).endswith("text")]
    long = [key for key in alone if not _are_short(held[key])]
    way = "." if kind == "object" else "[]."
    return kind, [way + key for key in known or long or alone or texts]


def _hold_texts(values: Sequence[object]) -> bool:
    return bool(values) and all(isinstance(value, str) for value in values)


def _are_short(values: Sequence[object]) -> bool:
    """Whether values are a word each that is hardly a text; some scripts put no spaces."""
    words = [str(value).strip() for value in values]
    return all(w.isascii() and len(w.split()) <= 1 and len(w) <= _SHORT for w in words)
