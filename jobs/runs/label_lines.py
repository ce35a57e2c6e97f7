"""JSON lines of decisions and of labels: read, held to what they may say, and written."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.labels import Decision, parse_decision
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.lines import lines
from negmine.transforms.storage.atomic import replacing

_LONGEST_LINE = 1 << 28
_NAMED_PROBLEMS = 5
_LINE_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}

Pair = tuple[str, str]


def write_lines(file: Path, records: Iterable[JsonObject]) -> int:
    """JSON lines under their final name, all or none; returns how many."""
    count = 0
    with (
        replacing(file, advice="Free space or name another file") as temporary,
        open(temporary, "w", encoding="utf-8", newline="\n") as out,
    ):
        for record in records:
            out.write(json.dumps(record, ensure_ascii=False).translate(_LINE_BREAKS) + "\n")
            count += 1
    return count


def _parsed(file: Path) -> Iterator[tuple[int, bytes, Decision | Rejected]]:
    for number, data, size in lines(file, _LONGEST_LINE):
        try:
            yield number, data, parse_decision(data, size)
        except Rejected as why:
            yield number, data, why


def refuse(file: Path, problems: list[tuple[int, str]]) -> None:
    """Raise DataError that names the first problems by their lines; nothing where there is none."""
    if problems:
        told = [f"line {number}: {what}" for number, what in sorted(problems)[:_NAMED_PROBLEMS]]
        more = len(problems) - len(told)
        told += [f"and {more:,} more"] if more else []
        raise DataError(f"{file}: {'; '.join(told)}. Nothing was written; correct the file")


def read_decisions(file: Path) -> tuple[dict[Pair, tuple[int, str]], int]:
    """Line and decision of each decided pair, and the number of undecided lines."""
    decided: dict[Pair, tuple[int, str]] = {}
    problems: list[tuple[int, str]] = []
    undecided = 0
    for number, _, found in _parsed(file):
        if isinstance(found, Rejected):
            problems.append((number, found.reason))
            continue
        query_id, doc_id, decision = found
        if decision is None:
            undecided += 1
            continue
        first, before = decided.setdefault((query_id, doc_id), (number, decision))
        if before != decision:
            what = f"document {doc_id!r} is {decision} here and {before} in line {first}"
            problems.append((number, f"{what}, for query {query_id!r}"))
    refuse(file, problems)
    return decided, undecided


def read_labels(file: Path) -> dict[Pair, JsonObject]:
    """Lines of a labels file by pair; none where there is no file yet."""
    known: dict[Pair, JsonObject] = {}
    problems: list[tuple[int, str]] = []
    for number, data, found in _parsed(file) if storage.exists(file) else ():
        if isinstance(found, Rejected) or found.decision is None:
            reason = found.reason if isinstance(found, Rejected) else "decision is missing"
            problems.append((number, reason))
        else:
            known[found.query_id, found.doc_id] = json.loads(data)
    refuse(file, problems)
    return known
