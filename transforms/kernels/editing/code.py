"""Edits of Python source that change one node of its tree, on which its result depends."""

import ast
import re
import warnings
from collections.abc import Iterator
from functools import cached_property, lru_cache

from negmine.transforms.kernels.editing.dataflow import Scope, scopes, told_by_sign
from negmine.transforms.kernels.editing.edit import Asked, Edit, replaced

_LOOKS_LIKE_CODE = re.compile(r"^\s*(?:async\s+def|def|class|@\w)", re.MULTILINE)
_MOST = 20_000

_OPERATORS: dict[type, tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}  # fmt: skip
_COMPARISONS: dict[type, tuple[str, str]] = {
    ast.Lt: ("<", ">="), ast.GtE: (">=", "<"), ast.Gt: (">", "<="), ast.LtE: ("<=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
"""Each comparison and its negation: whatever is compared, the other branch is taken."""


def is_code(text: str) -> bool:
    """Whether a text looks like Python functions or classes; `parse` says whether it is."""
    return bool(_LOOKS_LIKE_CODE.search(text))


def parse(text: str) -> ast.Module | None:
    """The tree of Python source that defines something, None where it is none."""
    if len(text) > _MOST or not is_code(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Source:
    """A positive that is Python source, and the expressions that its result depends on."""

    def __init__(self, asked: Asked, tree: ast.Module) -> None:
        self.asked, self.text, self.tree = asked, asked.positive, tree
        lines = self.text.encode().split(b"\n")
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    @cached_property
    def scopes(self) -> list[Scope]:
        """The module and its functions."""
        return scopes(self.tree)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Nodes of the expressions that decide what is returned or yielded, in order.

        These are the values themselves, the tests that lead to them or out of a loop, and what is
        assigned to a name in one of these and read behind that. So nothing that is only raised,
        logged or stored.
        """
        deciding: list[ast.AST] = [value for scope in self.scopes for value in scope.deciding]
        unique = {id(n): n for value in deciding for n in _inside(value) if hasattr(n, "lineno")}
        return sorted(unique.values(), key=lambda n: (self.start(n), self.end(n), type(n).__name__))

    def start(self, node: ast.AST) -> int:
        """Character at which a node begins."""
        return self._character(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """Character behind a node."""
        return self._character(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _character(self, line: int, column: int) -> int:
        if self.text.isascii():
            return self._starts[line - 1] + column
        return len(self.text.encode()[: self._starts[line - 1] + column].decode())

    def between(self, left: ast.AST, right: ast.AST, symbol: str) -> tuple[int, int] | None:
        """Span of an operator between two operands, None where more than brackets is there."""
        start, stop = self.end(left), self.start(right)
        pattern = r"\s+".join(map(re.escape, symbol.split()))
        found = re.fullmatch(rf"[\s)\\]*({pattern})[\s(\\]*", self.text[start:stop])
        return None if found is None else (start + found.start(1), start + found.end(1))

    def first(self, operation: str, spans: dict[tuple[int, int], str]) -> Edit | None:
        """The first of these replacements, in the query's order, that changes one node of the tree.

        `a + b * c` does not: with `+` for `*` it is `(a + b) + c`, and other nodes move too.
        """
        by_name = {f"{start}-{end}": (start, end) for start, end in spans}
        for name in self.asked.order(operation, by_name):
            span = by_name[name]
            edit = replaced(operation, self.text, [span], [spans[span]])
            changed = parse(edit.text)
            if changed is not None and _one_node_differs(self.tree, changed):
                return edit
        return None


def _one_node_differs(before: ast.AST, after: ast.AST) -> bool:
    old, new = (list(map(_own, ast.walk(tree))) for tree in (before, after))
    return len(old) == len(new) and sum(a != b for a, b in zip(old, new, strict=True)) == 1


def _own(node: ast.AST) -> tuple[object, ...]:
    """What a node says without its children; an operator belongs to the node that it joins."""
    if isinstance(node, ast.operator | ast.cmpop | ast.boolop | ast.expr_context):
        return ()
    plain = (v for _, v in ast.iter_fields(node) if not isinstance(v, ast.AST | list))
    joined = [getattr(node, "op", None), *getattr(node, "ops", ())]
    return type(node), [repr(value) for value in plain], [type(op) for op in joined]


@lru_cache(maxsize=4)
def source_of(asked: Asked) -> Source | None:
    """The positive as source, None where it is no Python."""
    tree = parse(asked.positive)
    return None if tree is None else Source(asked, tree)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.JoinedStr):
            yield from _inside(child)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def operator(asked: Asked) -> Edit | None:
    """An arithmetic, bitwise or logical operator changed to its counterpart."""
    source = source_of(asked)
    if source is None:
        return None
    spans: dict[tuple[int, int], str] = {}
    for node in source.nodes:
        match node:
            case ast.BinOp(left=left, right=right) if not (_is_text(left) or _is_text(right)):
                sides = (left, right)
            case ast.BoolOp(values=[left, right]):
                sides = (left, right)
            case _:
                continue
        symbol, other = _OPERATORS.get(type(node.op), ("", ""))
        span = source.between(*sides, symbol) if symbol else None
        if span:
            spans[span] = other
    return source.first("operator", spans)


def comparison(asked: Asked) -> Edit | None:
    """A comparison changed to its negation."""
    source = source_of(asked)
    if source is None:
        return None
    spans: dict[tuple[int, int], str] = {}
    for node in source.nodes:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            symbol, other = _COMPARISONS[type(node.ops[0])]
            span = source.between(node.left, node.comparators[0], symbol)
            if span:
                spans[span] = other
    return source.first("comparison", spans)


def identifier(asked: Asked) -> Edit | None:
    """A parameter that is read, changed to another parameter of the same function."""
    source = source_of(asked)
    if source is None:
        return None
    spans: dict[tuple[int, int], str] = {}
    read = {id(node) for node in source.nodes if isinstance(node, ast.Name)}
    for function in ast.walk(source.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = function.args
        listed = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        names = [a.arg for a in listed if a.arg not in {"self", "cls"}]
        for node in ast.walk(function) if len(names) > 1 else ():
            if isinstance(node, ast.Name) and node.id in names and id(node) in read:
                others = asked.order(f"identifier {node.id}", set(names) - {node.id})
                spans[(source.start(node), source.end(node))] = others[0]
    return source.first("identifier", spans)


def _stays(node: ast.Constant, by_sign: set[int]) -> bool:
    return id(node) in by_sign and not isinstance(node.value, bool) and bool(node.value)


def literal(asked: Asked) -> Edit | None:
    """A whole number changed by one, or a truth value to the other.

    Not a number of which only the truth or the sign may count, where the other has the same.
    """
    source = source_of(asked)
    if source is None:
        return None
    spans: dict[tuple[int, int], str] = {}
    by_sign = told_by_sign(source.tree, source.scopes)
    for node in source.nodes:
        if not isinstance(node, ast.Constant) or _stays(node, by_sign):
            continue
        span = (source.start(node), source.end(node))
        written = source.text[slice(*span)]
        if isinstance(node.value, bool):
            spans[span] = str(not node.value)
        elif isinstance(node.value, int) and written.isdecimal():
            spans[span] = str(node.value + 1)
    return source.first("literal", spans)
