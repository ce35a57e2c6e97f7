"""The values of named columns in each row of a JSON, Parquet or Arrow file."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from negmine.transforms.readers.rows import Rejected, Source
from negmine.transforms.readers.tables.columnar import table_rows
from negmine.transforms.readers.tables.json_objects import LateColumns, objects
from negmine.transforms.storage.suffixes import kind_of_file

Values = tuple[int, list[object] | Rejected, object]


def raw_values(
    source: Source,
    wanted: Sequence[str | None],
    cap: int,
    most: int | None,
    listed: Collection[str] = (),
    look: Callable[[Iterable[str], int], None] | None = None,
    late: Sequence[str | None] = (),
) -> Iterator[Values]:
    """Row or line number, the wanted values or why there are none, and the raw row.

    None in `wanted` gives None, or, of JSON objects, what each has of the role in `late`. `look` is
    shown the names of each JSON object and its line. `cap` and `most` as in `lines`, `listed` as in
    `table_rows`; texts of Parquet and Arrow are bytes.
    Raises DataError where the file is damaged, or is not what it was known by.
    """
    if kind_of_file(source.path) in ("parquet", "arrow"):
        for line, values in table_rows(source.path, wanted, most, listed, source.digest):
            yield line, values, values
        return
    columns = LateColumns(wanted, late or [None] * len(wanted))
    for line, record, data in objects(source.path, cap, most, source.digest):
        if isinstance(record, Rejected):
            yield line, record, data
        else:
            if look is not None:
                look(record, line)
            yield line, columns.values(record), data
