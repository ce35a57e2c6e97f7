"""Where the rows of each part go while the blocks go by."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa

from negmine.transforms.exporters.epochs import INDEX
from negmine.transforms.exporters.formats import AnyFormat, Exporter
from negmine.transforms.exporters.formats.folder import FolderFormat
from negmine.transforms.exporters.parts import TRAIN, Part
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.report import Report
from negmine.transforms.exporters.targets import beside, folder_of, of_part
from negmine.transforms.exporters.writing.card import configs
from negmine.transforms.exporters.writing.describe import description
from negmine.transforms.exporters.writing.files import Write, refuse_nested, written
from negmine.transforms.exporters.writing.folders import REPORT, folder_written, json_text
from negmine.transforms.storage.atomic import replacing

Choose = Callable[[QueryBlock], QueryBlock]
Add = Callable[[Part, QueryBlock], None]
Finish = Callable[[Callable[[list[str]], Report], dict[str, object]], Report]


class Sink:
    """An open export: `choose` a block, `add` what a part picks of it, then `finish` once.

    `finish` is given what makes the report of the names that were written.
    """

    def __init__(self, choose: Choose, add: Add, finish: Finish) -> None:
        self.choose = choose
        self.add = add
        self.finish = finish


@contextmanager
def opened_sink(
    made: AnyFormat, rows: RunNegatives, parts: list[Part], path: Path | None, folder: bool
) -> Iterator[Sink]:
    """The sink of a format; files and folders appear when the block ends well."""
    if isinstance(made, type):
        assert path is not None
        with _folders(made, rows, parts, path) as sink:
            yield sink
    elif folder:
        assert path is not None
        with _epochs(made, rows, parts, path) as sink:
            yield sink
    else:
        with _files(made, rows, parts, path) as sink:
            yield sink


def _adding(
    made: Exporter, rows: RunNegatives, schema: pa.Schema, writes: dict[str, Write]
) -> tuple[Choose, Add]:
    def add(part: Part, block: QueryBlock) -> None:
        for table in made.tables(rows, block, schema):
            writes[part.name](table)
            part.rows += table.num_rows

    return lambda block: made.choose(rows, block), add


@contextmanager
def _files(
    made: Exporter, rows: RunNegatives, parts: list[Part], path: Path | None
) -> Iterator[Sink]:
    """One file, and one beside it for each other part; the report beside the first."""
    schema = made.schema(rows)
    names = {
        part.name: path if path is None or part.name == TRAIN else of_part(path, part.name)
        for part in parts
    }

    def finish(report: Callable[[list[str]], Report], options: dict[str, object]) -> Report:
        found = report([name.name for name in names.values() if name is not None])
        if path is not None:
            with replacing(beside(path)) as temporary:
                text = json.dumps({**found.as_json(), "options": options}, indent=2, sort_keys=True)
                temporary.write_text(text + "\n", encoding="utf-8")
        return found

    with ExitStack() as stack:
        writes = {name: stack.enter_context(written(file, schema)) for name, file in names.items()}
        choose, add = _adding(made, rows, schema, writes)
        yield Sink(choose, add, finish)


@contextmanager
def _epochs(made: Exporter, rows: RunNegatives, parts: list[Part], path: Path) -> Iterator[Sink]:
    """A file an epoch in a folder, and the index that `Epochs` reads."""
    schema = made.schema(rows)
    names = {part.name: f"{part.name}{made.SUFFIX}" for part in parts}
    for name in names.values():
        refuse_nested(path / name, schema)
    with folder_written(path, dict.fromkeys(names.values(), schema)) as (files, text):
        choose, add = _adding(made, rows, schema, {part: files[names[part]] for part in names})

        def finish(report: Callable[[list[str]], Report], options: dict[str, object]) -> Report:
            found = report(sorted(names.values()))
            entries = [
                {"file": names[part.name], "rows": part.rows, **part.facts} for part in parts
            ]
            text(INDEX, json_text({"format": found.format, "files": entries}))
            text(REPORT, json_text({**found.as_json(), "options": options}))
            return found

        yield Sink(choose, add, finish)


@contextmanager
def _folders(
    made: type[FolderFormat], rows: RunNegatives, parts: list[Part], path: Path
) -> Iterator[Sink]:
    """The files of a format's folder, in a folder a part where there are several."""
    writers = {part.name: made(rows, part.name) for part in parts}
    within = {name: folder_of(made, name, len(parts)) for name in writers}
    files = {
        within[name] + file: schema
        for name, writer in writers.items()
        for file, schema in writer.files().items()
    }
    with folder_written(path, files) as (writes, text):

        def put(part: Part, file: str, table: pa.Table) -> None:
            writes[within[part.name] + file](table)
            if file.startswith(made.ROWS):
                part.rows += table.num_rows

        def add(part: Part, block: QueryBlock) -> None:
            for file, table in writers[part.name].pieces(block):
                put(part, file, table)

        def finish(report: Callable[[list[str]], Report], options: dict[str, object]) -> Report:
            for part in parts:
                counted = part.rows
                for file, table in writers[part.name].closing():
                    put(part, file, table)
                part.rows = counted
                for name, content in writers[part.name].texts().items():
                    text(within[part.name] + name, content)
            found = report(sorted(files))
            if getattr(made, "FLAT", False):
                splits = {
                    name: {part.name: f"{name}/{part.name}.parquet" for part in parts}
                    for name in ("triplet", "sets")
                }
                text("README.md", configs(splits, description(found, rows.source)))
            text(REPORT, json_text({**found.as_json(), "options": options}))
            return found

        first = writers[parts[0].name]
        yield Sink(first.choose, add, finish)
