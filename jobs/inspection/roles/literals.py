"""Which texts are lists, objects, tuples or sets that were written out."""

import ast
import json
import re
import warnings
from collections.abc import Sequence

_LONG = 10_000
_LISTED = re.compile(r"""\[\s*(['"].*(?:['"]|\bnan|None)|\{.*\})\s*\]""", re.DOTALL)


def is_literal(text: str) -> bool:
    """Whether a text is a list, object, tuple or set of Python or JSON, written out."""
    if text[:1] not in ("[", "{", "(") and not text[:1].isspace():
        return False
    text = text.strip()
    if text[:1] + text[-1:] not in ("[]", "{}", "()"):
        return False
    if _LISTED.fullmatch(text):
        return True
    if len(text) > _LONG:
        return re.match(r"""[\[{(]\s*["'{\[(]""", text) is not None
    return any(isinstance(found, list | dict | tuple | set) for found in _parsed(text))


def _parsed(text: str) -> Sequence[object]:
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [ast.literal_eval(text)]
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return []
