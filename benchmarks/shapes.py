"""Data as people have it, mined as it is: which shapes work at once, and what the others are told.

    python benchmarks/shapes.py --out out/benchmarks/shapes [--only CSV] [--shared ../shared]

One small collection, functions of the standard library with their docstrings, is written in some
forty shapes; `negmine mine SHAPE --judge none` is run on each, in this process, without any other
key than those that its row names. With --shared, a folder of collections that others made is mined
too: SciFact as a CSV, and each of its `cases/`. A shape works at once where the run ends well and
has the queries and positives that were written.
"""

import argparse
import csv
import io
import json
import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._shape_files import Shape, collection
from benchmarks._shapes import shapes
from negmine.jobs.runs.published import find_run
from negmine.transforms.readers.stdlib import choose, library_functions

_SMALL = ("--set", "sources.bm25.depth=20", "--set", "sources.dense.depth=20")
_NOT_DATA = ("configs", "README.md")


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--out", type=Path, default=Path("out/benchmarks/shapes"), help="folder of data and runs")
    add("--only", default="", help="shapes whose name holds this")
    add("--functions", type=int, default=40, help="queries of the collection")
    add("--shared", type=Path, help="folder with cases/ and data/scifact")
    add("--student", default="all-MiniLM-L6-v2", help="encoder; a folder or a name")
    return parser.parse_args(words)


def functions(count: int) -> list[tuple[str, str]]:
    """Docstring and source of functions of the standard library, no query twice."""
    found: dict[str, str] = {}
    every = list(library_functions(Path(sysconfig.get_path("stdlib"))))
    for function in choose(every, 4 * count, seed=1):
        if function.query.casefold() not in (query.casefold() for query in found):
            found[function.query] = function.document
    return list(found.items())[:count]


def scifact(source: Path, target: Path) -> Shape:
    """The training queries of SciFact with the text of each positive, as a CSV of 300 rows."""
    documents = dict(_texts(source / "corpus.jsonl"))
    queries = dict(_texts(source / "queries.jsonl"))
    lines = (source / "qrels" / "train.tsv").read_text().splitlines()[1:]
    pairs = [line.split("\t") for line in lines][:300]
    rows = [(queries[query], documents[document]) for query, document, _ in pairs]
    text = io.StringIO()
    csv.writer(text).writerows([("claim", "abstract"), *rows])
    target.write_text(text.getvalue())
    return Shape("SciFact as CSV", str(target), len({q for q, _ in rows}), len(set(rows)))


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text().splitlines():
        row = json.loads(line)
        yield row["_id"], f"{row.get('title') or ''} {row['text']}".strip()


def cases(folder: Path) -> Iterator[Shape]:
    """Collections that went wrong with some tool, whatever is to be found in them."""
    for path in sorted(folder.iterdir()):
        if path.name not in _NOT_DATA:
            yield Shape(f"cases/{path.name}", str(path), None, None)


def mine(shape: Shape, output: Path, student: str) -> tuple[int, str, dict[str, Any]]:
    """Exit code, standard error and counts of a run of the command line in this process."""
    from negmine.jobs.__main__ import main

    shutil.rmtree(output, ignore_errors=True)
    words = ["negmine", "mine", shape.path, *shape.options, "--judge", "none", *_SMALL]
    words += ["--student", student, "--output", str(output)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with mock.patch.object(sys, "argv", words), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return code, err.getvalue(), dict(find_run(str(output)).manifest["counts"]) if not code else {}


def row(shape: Shape, code: int, err: str, counts: dict[str, Any], seconds: float) -> list[str]:
    """What the table says of a shape."""
    found = [counts.get(what) for what in ("queries", "positives")]
    expected = [shape.queries, shape.positives]
    error = next((line for line in err.splitlines() if line.startswith("error: ")), "")
    if shape.says:
        result = "asks" if shape.says in error else "FAILS"
    else:
        right = not code and (shape.queries is None or found == expected)
        result = "at once" if right else "FAILS"
    told = error.removeprefix("error: ").replace(os.sep.join(Path(shape.path).parts[:-1]), "…")
    pairs = zip(expected, found, strict=True)
    both = "; ".join(f"{'-' if e is None else e} / {f or '-'}" for e, f in pairs)
    words = " ".join(shape.options)
    return [
        f"{shape.name} `{words}`" if words else shape.name,
        result,
        both,
        f"{seconds:.1f}",
        told,
    ]


def run(words: Sequence[str] | None = None) -> None:
    """Print the table, row by row."""
    asked = parse(words)
    data, output = asked.out / "data", asked.out / "run"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    found = shapes(data, collection(functions(asked.functions)))
    if asked.shared:
        found.append(scifact(asked.shared / "data" / "scifact", data / "scifact.csv"))
        found += cases(asked.shared / "cases")
    heading = ("shape", "worked", "queries, positives: expected / found", "s", "what it says")
    print(f"| {' | '.join(heading)} |\n|{'---|' * len(heading)}")
    results: list[str] = []
    for shape in (shape for shape in found if asked.only in shape.name):
        started = time.perf_counter()
        code, err, counts = mine(shape, output, asked.student)
        cells = row(shape, code, err, counts, time.perf_counter() - started)
        results.append(cells[1])
        print(f"| {' | '.join(cells)} |", flush=True)
    count = {result: results.count(result) for result in dict.fromkeys(results)}
    print(f"\n{len(results)} shapes: " + ", ".join(f"{n} {result}" for result, n in count.items()))


if __name__ == "__main__":
    run()
