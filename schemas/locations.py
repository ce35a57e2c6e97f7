"""Locations in object stores as local mirror paths, and back; touches no disk and no network."""

import os
import re
from pathlib import Path

MARKER = "negmine-mirror"
"""Component of every mirror path, `<cache>/negmine-mirror/<s3|gs>/<bucket>/<key>`."""

_URL = re.compile(r"(s3|gs):/{1,2}(?!/)(.*)", re.DOTALL)
_MIRRORED = re.compile(rf"/{MARKER}/(s3|gs)/(.+)", re.DOTALL)
_FOREIGN = re.compile(rf"""[^\s'"(),=\[]*/{MARKER}/(s3|gs)/""")
_ADDRESS = re.compile(r"\b((?:s3|gs):/{1,2})[^\s/@]*@")
_QUERY = re.compile(r"\?[^/]*=")


def cache_folder() -> Path:
    """$NEGMINE_CACHE, else $XDG_CACHE_HOME/negmine, else ~/.cache/negmine."""
    if named := os.environ.get("NEGMINE_CACHE"):
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "negmine"


def parts_of(text: str | Path) -> tuple[str, str] | None:
    """Scheme and the rest of a URL of a store; None for any other text."""
    found = _URL.fullmatch(str(text))
    return (found[1], found[2]) if found else None


def has_query(rest: str) -> bool:
    """Whether a URL has a query string."""
    return _QUERY.search(rest) is not None


def is_url(text: str | Path) -> bool:
    """Whether a text, or a path that was made of one, names a place in a store."""
    return _URL.fullmatch(str(text)) is not None


def without_secrets(url: str) -> str:
    """A URL without what stands before @ and after ?."""
    return _ADDRESS.sub(r"\1***@", _QUERY.sub("?***=", url).partition("?***=")[0])


def is_mirrored(path: str | Path) -> bool:
    """Whether a path is the mirror of a place in a store, on whatever machine it was made."""
    return MARKER in str(path) and _MIRRORED.search(str(path)) is not None


def url_of(path: str | Path) -> str | None:
    """The URL of a mirror path; None for any other."""
    found = _MIRRORED.search(str(path)) if MARKER in str(path) else None
    return f"{found[1]}://{found[2]}" if found else None


def rooted(path: str | Path) -> Path:
    """A mirror path, made on whatever machine, below the cache of this one; others as they are."""
    found = _MIRRORED.search(str(path)) if MARKER in str(path) else None
    return cache_folder() / MARKER / found[1] / found[2] if found else Path(path)


def shown(text: str) -> str:
    """A text for people: URLs in place of mirror paths, and nothing before an @ in them."""
    if MARKER in text:
        for scheme in ("s3", "gs"):
            text = text.replace(f"{cache_folder()}/{MARKER}/{scheme}/", f"{scheme}://")
        text = _FOREIGN.sub(r"\1://", text)
    return _ADDRESS.sub(r"\1***@", text) if "@" in text else text
