"""Text of strangers, made harmless for a terminal."""

import unicodedata

from schemas.locations import shown

_SAFE_FORMAT = "\u200c\u200d"  # zero-width joiners: words and emoji need them


def _escape(letter: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(letter)
    if named:
        return named
    code = ord(letter)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unsafe(letter: str) -> bool:
    kind = unicodedata.category(letter)
    return kind in ("Cc", "Zl", "Zp", "Cs") or (kind == "Cf" and letter not in _SAFE_FORMAT)


def printable(value: object, keep: str = "") -> str:
    """A value as one line of text: control, bidi and separator characters become escapes.

    Characters in `keep` stay as they are. The result may still look like rich markup: print it
    as `rich.text.Text`, or with markup off.
    """
    text = shown(str(value))
    if text.isprintable():
        return text
    return "".join(
        _escape(letter) if letter not in keep and _unsafe(letter) else letter for letter in text
    )
