"""Every module, file and heading that a docstring or a page names exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("schemas", "transforms", "pipelines", "jobs")
PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))
SOURCES = tuple(
    sorted(
        file
        for folder in ("negmine", "benchmarks", "tests", *ROOMS)
        for file in (ROOT / folder).rglob("*.py")
    )
)
NAME = re.compile(rf"`((?:negmine\.)?(?:{'|'.join(ROOMS)})(?:\.\w+)+)[`(]")
FILE = re.compile(rf"(?<![\w/])(?:(?:{'|'.join(ROOMS)}|tests|benchmarks|docs)/[\w./-]*\w)")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def docstrings(file: Path) -> Iterator[str]:
    """The strings that stand as statements: docstrings, of constants and fields too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


def prose(page: Path) -> str:
    """A page without its examples, whose files are the reader's own."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them: small letters, hyphens, no punctuation."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def missing(names: set[str]) -> set[str]:
    """Those of the dotted names that neither import nor are attributes of what does."""

    def exists(name: str) -> bool:
        try:
            resolve_name(f"negmine.{name.removeprefix('negmine.')}")
        except (ImportError, AttributeError):
            return False
        return True

    return {name for name in names if not exists(name)}


def test_every_module_and_attribute_that_a_docstring_names_exists() -> None:
    names = {name for file in SOURCES for text in docstrings(file) for name in NAME.findall(text)}
    assert len(names) > 20
    assert missing(names) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_gives_modules_by_their_import_names(page: Path) -> None:
    names = set(NAME.findall(page.read_text(encoding="utf-8")))
    assert missing(names) == set()
    assert {name for name in names if not name.startswith("negmine.")} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_heading_that_a_page_names_exists(page: Path) -> None:
    text = prose(page)
    assert {name for name in FILE.findall(text) if not (ROOT / name).exists()} == set()
    for name, anchor in LINK.findall(text):
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), name
        assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


def test_every_file_that_a_docstring_names_exists() -> None:
    names = {name for file in SOURCES for text in docstrings(file) for name in FILE.findall(text)}
    assert {name for name in names if not (ROOT / name).exists()} == set()
