"""Functions of the running Python's standard library: docstring as query, source as document."""

import ast
import sysconfig
import textwrap
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import StdlibInput
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.readers.rows import Bad, Judgement, Row, Source, text_row

SKIPPED = frozenset(
    {
        "test", "tests", "idle_test", "site-packages", "dist-packages", "idlelib", "lib2to3",
        "turtledemo", "__pycache__", "__phello__",
    }
)  # fmt: skip
_MIN_QUERY_WORDS = 3
_MIN_BODY_LINES = 2
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Function(NamedTuple):
    """A documented function: `id` is module:qualname, `query` its docstring's first paragraph.

    `place` counts the module's documented functions from 1.
    """

    id: str
    line: int
    query: str
    document: str
    module: str = ""
    place: int = 0


def sources(config: StdlibInput) -> list[Source]:
    """One source, the folder of the library. Raises DataError where it holds no source code."""
    root = Path(sysconfig.get_path("stdlib"))
    if not any(root.glob("*.py")):
        raise DataError(
            f"{root} holds no Python source, so input.format stdlib has nothing to read"
        )
    return [Source("functions", str(root), "stdlib")]


def read(source: Source, config: StdlibInput, seed: int) -> Iterator[Row]:
    """A query, a document and a judgement for each of `limit` functions, chosen by keyed hash."""
    functions = list(library_functions(Path(source.path)))
    for function in choose(functions, config.limit, seed):
        line, limit = function.line, config.max_text_bytes
        query, text, at = function.query, function.document, (function.module, function.place)
        made = [
            text_row("queries", line, function.id, query, None, limit, query),
            text_row("documents", line, function.id, text, None, limit, function.id, None, *at),
        ]
        unusable = [row for row in made if isinstance(row, Bad)]
        if unusable:
            yield unusable[0]
        else:
            yield from made
            yield Judgement(line, function.id, function.id, None)


def choose(functions: list[Function], limit: int | None, seed: int) -> list[Function]:
    """`limit` of the functions, by keyed hash of the id, in order of the id."""
    ordered = sorted(functions, key=lambda function: function.id)
    if limit is None or limit >= len(ordered):
        return ordered
    keys = mix(seed, text_keys(function.id for function in ordered))
    return [ordered[i] for i in np.sort(np.argsort(keys, kind="stable")[:limit])]


def library_functions(root: Path) -> Iterator[Function]:
    """Every documented function below a folder, file by file in order of their names."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if SKIPPED.intersection(parts):
            continue
        names = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
        yield from module_functions(path, ".".join(names))


def module_functions(path: Path, module: str) -> Iterator[Function]:
    """The documented functions of one file; none where it cannot be read or parsed."""
    try:
        with warnings.catch_warnings(), tokenize.open(path) as file:
            warnings.simplefilter("ignore")
            text = file.read()
            tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    lines = text.split("\n")
    seen: dict[str, int] = {}
    place = 0
    for name, node in _walk(tree.body, ""):
        found = _parts_of(node, lines)
        if found is not None:
            place += 1
            identity = f"{module}:{name}"
            count = seen[identity] = seen.get(identity, 0) + 1
            suffix = f"#{count}" if count > 1 else ""
            yield Function(identity + suffix, node.lineno, *found, module, place)


def _walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Function]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _walk(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            handlers = node.handlers if isinstance(node, ast.Try) else []
            yield from _walk(node.body, prefix)
            for handler in handlers:
                yield from _walk(handler.body, prefix)
            yield from _walk(node.orelse, prefix)


def _parts_of(node: _Function, lines: list[str]) -> tuple[str, str] | None:
    docstring = ast.get_docstring(node)
    if docstring is None or len(node.body) < 2:
        return None
    query = first_paragraph(docstring)
    start = min([node.lineno, *(item.lineno for item in node.decorator_list)])
    quoted, rest = node.body[0], node.body[1]
    first, last = quoted.lineno, quoted.end_lineno or quoted.lineno
    stop = node.end_lineno or node.lineno
    body = [line for line in lines[last:stop] if line.strip()]
    shares_a_line = first == node.lineno or rest.lineno == last
    if len(query.split()) < _MIN_QUERY_WORDS or len(body) < _MIN_BODY_LINES or shares_a_line:
        return None
    kept = lines[start - 1 : first - 1] + lines[last:stop]
    return query, textwrap.dedent("\n".join(kept))


def first_paragraph(docstring: str) -> str:
    """The words up to the first blank line, joined by one space each."""
    words: list[str] = []
    for line in docstring.strip().splitlines():
        if not line.strip():
            break
        words += line.split()
    return " ".join(words)
