"""Prints what the code's tree looks like: sizes, circles, late imports, `Any`.

Usage: python benchmarks/tree.py [FOLDER OF A CHECKOUT ...], one column each.
"""

import ast
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOMS = ("negmine", "schemas", "transforms", "pipelines", "jobs")
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules(root: Path) -> dict[str, Path]:
    """Every module of the code, tests and benchmarks apart, by its dotted path from the root."""
    files = [file for room in ROOMS for file in sorted((root / room).rglob("*.py"))]
    return {
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


def imported(tree: ast.AST, known: dict[str, Path]) -> set[str]:
    """Modules of the code that a module imports, at its top or later."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if _plain(name) in known else node.module for name in whole}
    return {_plain(name) for name in names} & set(known)


def _plain(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[1:] if parts[0] == "negmine" and len(parts) > 1 else parts)


def circles(edges: dict[str, set[str]]) -> int:
    """Strongly connected sets of siblings, over all packages."""
    found = 0
    packages = {name.rpartition(".")[0] for name in edges}
    for package in packages | {name.rpartition(".")[0] for name in packages if "." in name}:
        depth = package.count(".") + 1 if package else 0
        start = f"{package}." if package else ""
        graph: dict[str, set[str]] = defaultdict(set)
        for source, targets in edges.items():
            for target in targets:
                if source.startswith(start) and target.startswith(start):
                    one, other = source.split(".")[depth], target.split(".")[depth]
                    if one != other:
                        graph[one].add(other)
        reach = {name: _reached(graph, name) for name in graph}
        rings = {frozenset(o for o in reach[n] if n in reach.get(o, ())) for n in reach}
        found += len([ring for ring in rings if len(ring) > 1])
    return found


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph.get(start, ()))
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(graph.get(name, ()))
    return seen


def measure(root: Path) -> dict[str, str]:
    """One column of the table."""
    files = modules(root)
    trees = {name: ast.parse(file.read_text()) for name, file in files.items()}
    folders = Counter(file.parent.relative_to(root).as_posix() for file in files.values())
    most, count = folders.most_common(1)[0]
    functions = [
        (node.end_lineno - node.lineno + 1, f"{name}.{node.name}")
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, _FUNCTION) and node.end_lineno
    ]
    late = {
        (name, node.lineno)
        for name, tree in trees.items()
        for function in ast.walk(tree)
        if isinstance(function, _FUNCTION)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    lines = {name: file.read_text().count("\n") for name, file in files.items()}
    words = [len(re.findall(r"\bAny\b", _code(file.read_text()))) for file in files.values()]
    longest, at = max(functions)
    return {
        "modules": f"{len(files):,}",
        "lines": f"{sum(lines.values()):,}",
        "longest module": f"{max(lines.values())}",
        "modules over 300 lines": f"{sum(n > 300 for n in lines.values())}",
        "most modules in one folder": f"{count} ({most})",
        "folders over 15": f"{sum(n > 15 for n in folders.values())}",
        "in jobs/ itself": f"{folders['jobs']}",
        "in transforms/ itself": f"{folders['transforms']}",
        "circles of imports": f"{circles({n: imported(t, files) for n, t in trees.items()})}",
        "imports inside functions": f"{len(late)}",
        "Any": f"{sum(words)}",
        "longest function": f"{longest} ({at.rsplit('.', 1)[1]})",
        "median function": f"{sorted(functions)[len(functions) // 2][0]}",
    }


def _code(text: str) -> str:
    """A module without the lines that only import."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("from typing"))


def main() -> None:
    """Measure each checkout that is named, or this one."""
    roots = [Path(name) for name in sys.argv[1:]] or [Path(__file__).parent.parent]
    columns = [measure(root) for root in roots]
    for row in columns[0]:
        print(f"| {row} | " + " | ".join(column[row] for column in columns) + " |")


if __name__ == "__main__":
    main()
