"""A published run's Parquet as DuckDB SQL; partition values come from folder names only."""

import tempfile
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote

import duckdb

from negmine.transforms import storage

MEMORY = "768MB"
"""What a connection of DuckDB holds before it spills; by default it takes most of the machine."""


COSINE = "coalesce(query_cosine, dense_score)"
POSITIVE_COSINE = "coalesce(positive_query_cosine, positive_dense_score)"
"""Of negatives and ledger; similarities of vectors of length 1 are cosines."""


def connect(
    memory: str | None = MEMORY, spill: str | Path | None = None, file: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection of DuckDB that shows no progress; in memory, or kept in a `file`.

    It holds `memory` at most, None for DuckDB's own limit, and spills to the folder `spill`, the
    system's temporary folder unless named. A file is not used where its path has a question mark:
    DuckDB takes that for the start of parameters, and loses its log.
    """
    named = file is not None and "?" not in str(file)
    connection = duckdb.connect(str(file) if named else ":memory:")
    connection.execute("SET enable_progress_bar = false")
    if memory is not None:
        connection.execute(f"SET memory_limit = '{memory}'")
    if memory is not None or spill is not None:
        place = tempfile.gettempdir() if spill is None else str(spill)
        connection.execute(f"SET temp_directory = {sql_string(place)}")
    return connection


def sql_string(text: str) -> str:
    """Text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _files(directory: Path) -> str:
    directory = storage.fetch_tree(directory)
    if any(letter in str(directory) for letter in "*?["):
        # An escaped pattern would not match DuckDB's list of allowed directories.
        return f"[{', '.join(sql_string(str(part)) for part in _parts(directory))}]"
    return sql_string(f"{directory}/part-*.parquet")


def _parts(directory: Path) -> list[Path]:
    return sorted(file for file in directory.iterdir() if fnmatch(file.name, "part-*.parquet"))


def has_parts(directory: Path) -> bool:
    """Whether a folder holds at least one part."""
    return any(fnmatch(name, "part-*.parquet") for name in storage.sizes(directory))


def dataset_sql(directory: Path, columns: str = "*") -> str:
    """SELECT over the parts of a data set; there must be one (`has_parts`)."""
    return f"SELECT {columns} FROM read_parquet({_files(directory)}, hive_partitioning = false)"


def file_sql(file: Path, columns: str = "*") -> str:
    """SELECT over one Parquet file."""
    path = sql_string(str(file))
    return f"SELECT {columns} FROM read_parquet([{path}], hive_partitioning = false)"


def partition_values(directory: Path, key: str) -> dict[str, Path]:
    """Folders `key=value` that hold parts, by value, in the order of their names."""
    return {
        unquote(folder.name.partition("=")[2]): folder
        for folder in storage.folders(directory)
        if folder.name.startswith(f"{key}=") and has_parts(folder)
    }


def partitioned_sql(directory: Path, key: str) -> str | None:
    """SELECT over a hive-partitioned data set with `key` as text; None where it has no parts.

    One branch a partition, so that a condition on `key` reads only the folders that it names.
    """
    branches = [
        dataset_sql(folder, f"*, {sql_string(value)} AS {key}")
        for value, folder in partition_values(directory, key).items()
    ]
    return " UNION ALL BY NAME ".join(branches) or None
