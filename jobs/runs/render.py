"""Answers to queries, written as a table, CSV or JSON."""

import csv
import json
import math
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from negmine.jobs.runs.query import Result
from negmine.jobs.terminal import printable

TABLE_ROWS = 1_000


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return str(value)


def _short(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    plain = _plain(value)
    if isinstance(plain, dict | list):
        return json.dumps(plain, ensure_ascii=False)
    return str(plain)


def write_table(result: Result, stream: TextIO) -> None:
    """At most 1,000 rows as an aligned table, corpus text escaped; says so where rows are left."""
    rows = list(islice(result.rows, TABLE_ROWS + 1))
    table = Table(show_edge=False, pad_edge=False)
    for index, name in enumerate(result.columns):
        numeric = any(isinstance(row[index], int | float | Decimal) for row in rows[:20])
        table.add_column(
            Text(printable(name)), justify="right" if numeric else "left", overflow="fold"
        )
    for row in rows[:TABLE_ROWS]:
        table.add_row(*(Text(printable(_short(value))) for value in row))
    console = Console(file=stream, width=None if stream.isatty() else 160)
    console.print(table)
    if len(rows) > TABLE_ROWS:
        console.print(f"first {TABLE_ROWS:,} rows; --format csv or json gives them all")


def write_csv(result: Result, stream: TextIO) -> None:
    """All rows as CSV with a header; lists and maps as JSON in their cell. Null is empty."""
    terminal = stream.isatty()
    writer = csv.writer(stream, lineterminator="\n")
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(result.columns)
    for row in result.rows:
        cells = []
        for value in row:
            plain = _plain(value)
            if isinstance(plain, dict | list):
                plain = json.dumps(plain, ensure_ascii=False)
            cells.append(printable(plain) if terminal and isinstance(plain, str) else plain)
        # Python quotes a lone carriage return only from 3.13 on, and readers end a row there.
        (quoted if any("\r" in str(cell) for cell in cells) else writer).writerow(cells)


def write_json(result: Result, stream: TextIO) -> None:
    """All rows as a JSON array of objects, one a line; a NaN becomes null."""
    names: list[str] = []
    for column in result.columns:
        name, count = column, 1
        while name in names:
            name, count = f"{column}_{count}", count + 1
        names.append(name)
    ascii_only = stream.isatty()
    stream.write("[")
    for index, row in enumerate(result.rows):
        record = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        stream.write((",\n" if index else "\n") + json.dumps(record, ensure_ascii=ascii_only))
    stream.write("\n]\n")


WRITERS = {"table": write_table, "csv": write_csv, "json": write_json}
