"""What the result of Python source depends on: what it returns, and what is read for that."""

import ast
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WAYS_OUT = (ast.Return, ast.Yield, ast.YieldFrom, ast.Break, ast.Continue)


@dataclass(frozen=True)
class Scope:
    """A function, or the module, whose names are its own.

    Attributes:
        deciding: expressions that its result depends on.
        returned: values that it returns, and those assigned to a name that is one.
    """

    deciding: list[ast.expr]
    returned: list[ast.expr]


def scopes(tree: ast.Module) -> list[Scope]:
    """The module and each of its functions."""
    functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]
    return [_scope(node) for node in (tree, *functions)]


def told_by_sign(tree: ast.Module, parts: list[Scope]) -> set[int]:
    """`id` of the whole numbers of which only the truth or the sign may count.

    These are tests (`while 1`), a returned -1, and a returned 1 where -1, 0 or the like is returned
    as well, as by what compares two values.
    """
    found = {id(node) for test in _tests(tree) for node in _outcomes(test)}
    for scope in parts:
        numbers = [(n, sign) for value in scope.returned for n, sign in _numbers(value)]
        signs = {sign * bool(n.value) for n, sign in numbers}
        one = [(n, sign) for n, sign in numbers if n.value == 1]
        found |= {id(n) for n, sign in one if sign < 0 or len(signs) > 1}
    return found


def _scope(whole: ast.AST) -> Scope:
    own = list(_own(whole))
    deciding = [value for node in own for value in _deciding(node)]
    returned = [n.value for n in own if isinstance(n, ast.Return) and n.value]
    # Functions inside may read the names of this one.
    reading = [value for node in ast.walk(whole) for value in _deciding(node)]
    read = {n.id for value in reading for n in ast.walk(value) if isinstance(n, ast.Name)}
    given = {name for value in returned for name in _names(_outcomes(value))}
    reads = _Reads.of(whole, own)
    for node in own:
        if isinstance(node, ast.For) and _names([node.target]) & read:
            deciding.append(node.iter)
        elif isinstance(node, ast.Assign | ast.AugAssign):
            named = _assigned(node)
            if any(reads.behind(node, name) for name in named & read):
                deciding.append(node.value)
                returned += [node.value] if named & given else []
    return Scope(deciding, returned)


def _names(targets: Iterable[ast.expr]) -> set[str]:
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _assigned(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Assign):
        return _names(node.targets)
    return _names([node.target]) if isinstance(node, ast.AugAssign) else set()


_Place = tuple[int, int]


@dataclass(frozen=True)
class _Reads:
    """Where the names of a function are read, places ascending.

    Attributes:
        places: by name, `name += 1` among them.
        anywhere: names that may be read at any time: by functions inside, and all of a module.
        loops: (start, end) of each loop.
        blocks: `id` of a statement -> its block and number in that.
    """

    places: dict[str, list[_Place]]
    anywhere: set[str]
    loops: list[tuple[_Place, _Place]]
    blocks: dict[int, tuple[list[ast.stmt], int]]

    @classmethod
    def of(cls, whole: ast.AST, own: list[ast.AST]) -> "_Reads":
        places: dict[str, list[_Place]] = defaultdict(list)
        blocks: dict[int, tuple[list[ast.stmt], int]] = {}
        for node in (whole, *own):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                places[node.id].append(_start(node))
            if isinstance(node, ast.AugAssign):
                for name in _assigned(node):
                    places[name].append(_start(node))
            for _, part in ast.iter_fields(node):
                if isinstance(part, list):
                    blocks |= {id(each): (part, i) for i, each in enumerate(part)}
        module = isinstance(whole, ast.Module)
        inside = (n for n in ast.walk(whole) if isinstance(n, (*_FUNCTIONS, ast.Lambda)))
        apart = (n for f in inside if f is not whole for n in ast.walk(f))
        anywhere = {
            n.id
            for n in (ast.walk(whole) if module else apart)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        loops = [(_start(n), _end(n)) for n in own if isinstance(n, _LOOPS)]
        return cls({n: sorted(found) for n, found in places.items()}, anywhere, loops, blocks)

    def behind(self, assignment: ast.stmt, name: str) -> bool:
        """Whether a name is read behind an assignment, before the same block assigns it anew."""
        if name in self.anywhere:
            return True
        block, number = self.blocks[id(assignment)]
        for statement in block[number + 1 :]:
            if self._between(name, _start(statement), _end(statement)):
                return True
            if isinstance(statement, ast.Assign) and name in _assigned(statement):
                return False
        around = [loop for loop in self.loops if loop[0] <= _start(assignment) < loop[1]]
        return self._between(name, _end(assignment), (sys.maxsize, 0)) or any(
            self._between(name, *loop) for loop in around
        )

    def _between(self, name: str, start: _Place, end: _Place) -> bool:
        places = self.places.get(name, [])
        at = bisect_left(places, start)
        return at < len(places) and places[at] < end


def _start(node: ast.expr | ast.stmt) -> _Place:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.stmt) -> _Place:
    return node.end_lineno or 0, node.end_col_offset or 0


def _own(whole: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(whole):
        if not isinstance(child, _FUNCTIONS):
            yield child
            yield from _own(child)


def _deciding(statement: ast.AST) -> Iterator[ast.expr]:
    match statement:
        case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
            yield value
        case ast.If(test=test, body=body, orelse=orelse):
            inside = (node for part in [*body, *orelse] for node in ast.walk(part))
            if any(isinstance(node, _WAYS_OUT) for node in inside):
                yield test
        case ast.While(test=test):
            yield test


def _tests(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                yield test
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield operand
            case ast.BoolOp(values=[*tests, _]):
                yield from tests


def _outcomes(value: ast.expr) -> Iterator[ast.expr]:
    """What an expression may give as it stands: itself, or either side of an `or`, an `if`."""
    match value:
        case ast.IfExp(body=body, orelse=orelse):
            yield from _outcomes(body)
            yield from _outcomes(orelse)
        case ast.BoolOp(values=values):
            for each in values:
                yield from _outcomes(each)
        case _:
            yield value


def _numbers(value: ast.expr) -> Iterator[tuple[ast.Constant, int]]:
    for each in _outcomes(value):
        sign = 1
        if isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.USub):
            each, sign = each.operand, -1
        if isinstance(each, ast.Constant) and type(each.value) is int:
            yield each, sign
