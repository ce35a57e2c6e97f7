"""What is shown to people: text of strangers made harmless, durations, sizes."""

import sys
import unicodedata
from functools import lru_cache

from negmine.schemas.locations import shown

_SAFE_FORMAT = "\u200c\u200d"  # zero-width joiners: words and emoji need them


def escaped(letter: str) -> str:
    """A letter as Python writes it in a text: `\\n`, `\\x1b`, `\\u202e`."""
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


class _Table(dict[int, int | str]):
    """What becomes of a character, for `str.translate`; found once for each."""

    def __init__(self, keep: str) -> None:
        super().__init__((ord(letter), letter) for letter in keep)

    def __missing__(self, code: int) -> int | str:
        letter = chr(code)
        self[code] = found = escaped(letter) if _unsafe(letter) else code
        return found


_table = lru_cache(maxsize=8)(_Table)


def printable(value: object, keep: str = "") -> str:
    """A value as one line of text: control, bidi and separator characters become escapes.

    Characters in `keep` stay as they are. The result may still look like rich markup: print it
    as `rich.text.Text`, or with markup off.
    """
    text = shown(str(value))
    return text if text.isprintable() else text.translate(_table(keep))


def format_seconds(seconds: float) -> str:
    """A duration as people say it: `0.42 s`, `3 min 07 s`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def format_bytes(size: float) -> str:
    """A size in binary units: `512 B`, `1.4 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return type(found).__name__ == "ZMQInteractiveShell"
