"""Named columns: Parquet, Arrow, JSON, CSV and TSV files of documents, queries and qrels."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, HfInput, JsonlInput, ParquetInput
from negmine.schemas.inputs.base import TextInput
from negmine.transforms.readers.label_values import refuse_classes, word_value
from negmine.transforms.readers.paths import Kinds, evaluation_sources, file_sources
from negmine.transforms.readers.qrels import QrelsLayout, qrels_layout, read_qrels, unknown
from negmine.transforms.readers.rows import (
    UNGRADED,
    Rejected,
    Row,
    Source,
    Tag,
    bad,
    judgement_row,
    text_row,
)
from negmine.transforms.readers.tables.classes import classes_of, names_at
from negmine.transforms.readers.tables.columnar import require_values, schema_of, table_rows
from negmine.transforms.readers.tables.delimited import Text, head
from negmine.transforms.readers.tables.headers import Layout, by_name, header_of, placed, same_order
from negmine.transforms.readers.tables.json_objects import LateColumns, keys, objects
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.readers.tables.names import USUAL, optional, required, usual
from negmine.transforms.storage.suffixes import kind_of_file

ColumnsInput = ParquetInput | JsonlInput | HfInput
ANY = ("parquet", "arrow", "jsonl", "csv", "tsv")


def wanted_columns(
    kind: str, config: ColumnsInput, names: Sequence[str], where: str
) -> list[str | None]:
    """Columns to read of a kind of source, among the `names` of a file; None for one it lacks.

    Documents: identifier, text, title, language, group, place; queries: identifier, text, None,
    language; qrels: query, document, grade. Raises DataError, naming the columns there are, where
    one is missing that has to be.
    """
    need = partial(required, where, names)
    if kind == "documents":
        others = ("doc_title", "doc_language", "doc_group", "doc_place")
        found = [optional(where, names, key, getattr(config, key)) for key in others]
        return [need("doc_id", config.doc_id), need("doc_text", config.doc_text), *found]
    if kind == "queries":
        language = optional(where, names, "query_language", config.query_language)
        return [
            need("query_id", config.query_id),
            need("query_text", config.query_text),
            None,
            language,
        ]
    query, document = (
        _of_qrels(config, which, other, names)
        for which, other in (("query_id", "doc_id"), ("doc_id", "query_id"))
    )
    return [
        query or need("qrels_query_id", config.qrels_query_id),
        document or need("qrels_doc_id", config.qrels_doc_id),
        optional(where, names, "grade", config.grade),
    ]


def _of_qrels(config: ColumnsInput, key: str, other: str, names: Sequence[str]) -> str | None:
    """The column that documents or queries name their identifiers by, where the qrels have it too.

    One name for both, such as _id, names neither.
    """
    own = getattr(config, key)
    told = getattr(config, f"qrels_{key}") != AUTO or own in (AUTO, getattr(config, other))
    return None if told or own not in names else str(own)


def sources(config: ColumnsInput) -> list[Source]:
    """A source for each file.

    Raises DataError naming a path or column that is missing, ConfigError where qrels of the
    evaluation are mined.
    """
    kinds = dict.fromkeys(("documents", "queries"), Kinds((config.format,), ANY, config.format))
    kinds["qrels"] = Kinds((config.format, "tsv", "csv"), ANY, config.format)
    found = [
        source
        for kind, known in kinds.items()
        for source in file_sources(kind, getattr(config, kind), kind, known)
    ]
    for kind, mined in (("queries", []), ("qrels", found)):
        key = f"evaluation_{kind}"
        found += evaluation_sources(kind, getattr(config, key), key, kinds[kind], mined)
    for source in found:
        columns_of(source, config)
    text = [source for source in found if _is_text_qrels(source, config)]
    check_order(text, [_qrels_layout(source, config) for source in text])
    return found


def check_order(
    sources: Sequence[Source], layouts: Sequence[Layout | QrelsLayout], key: str | None = None
) -> None:
    """Raise DataError where files of a kind, or of a setting, order their columns differently."""
    for kind in {(source.kind, source.evaluation) for source in sources}:
        same_order(
            key or ("evaluation_" if kind[1] else "") + kind[0],
            [
                (source.name, layout.skip, layout.at)
                for source, layout in zip(sources, layouts, strict=True)
                if (source.kind, source.evaluation) == kind
            ],
        )


def columns_of(source: Source, config: ColumnsInput) -> list[str | None]:
    """The columns to read of a file, looked up in it. Raises DataError where one is missing."""
    kind = kind_of_file(source.path) or config.format
    wanted = partial(wanted_columns, source.kind, config)
    if kind in ("parquet", "arrow"):
        schema = schema_of(source.path)
        columns = wanted(schema.names, source.path)
        require_grade(source, config, schema.names, columns)
        require_values(source.path, schema, columns)
        if source.kind == "qrels" and columns[2] is not None:
            found = names_at(classes_of(schema.metadata), columns[2])
            refuse_classes(source.path, "grade", columns[2], found)
        return columns
    if kind == "jsonl":
        names = keys(source.path, line_cap(config.max_text_bytes), config.max_unpacked_bytes)
        if not names:
            # Where no row can be read each says so itself.
            return list(_FIRST[source.kind])
        columns = wanted(names, source.path)
        require_grade(source, config, names, columns)
        return columns
    text = text_of(source, config)
    if source.kind == "qrels":
        _qrels_layout(source, config)
        return []
    names = [name.strip() for name in head(text, 0)[0] or ()]
    if not names or config.header is False:
        raise DataError(
            f"{source.path} has no header, and input.format {config.format} finds columns by name; "
            "give it one, or set input.format: tsv"
        )
    return wanted(names, f"{source.path} (columns as of its line 1)")


def require_grade(
    source: Source, config: ColumnsInput, names: Sequence[str], columns: Sequence[str | None]
) -> None:
    """Raise DataError where a column of judgements may be the grade, and none is known to be."""
    if source.kind != "qrels" or config.grade != AUTO or columns[2] is not None:
        return
    others = unknown(names, columns)
    if others:
        raise DataError(
            f"{source.path} has judgements with the unknown column {others[0]!r} and none of a "
            f"usual name for the grade ({', '.join(USUAL['grade'])}). Set input.grade: {others[0]} "
            "if it is the grade, input.grade: null if every row is a positive"
        )


def _is_text_qrels(source: Source, config: ColumnsInput) -> bool:
    kind = kind_of_file(source.path) or config.format
    return source.kind == "qrels" and kind in ("csv", "tsv")


def _qrels_layout(source: Source, config: ColumnsInput) -> QrelsLayout:
    named = partial(wanted_columns, source.kind, config, where=source.path)
    header = header_of(config.header, "qrels")
    return qrels_layout(text_of(source, config), header, named, config.grade == AUTO)


_FIRST: dict[str, tuple[str | None, ...]] = {
    "documents": (USUAL["doc_id"][0], USUAL["doc_text"][0], None, None, None, None),
    "queries": (USUAL["query_id"][0], USUAL["query_text"][0], None, None),
    "qrels": (USUAL["qrels_query_id"][0], USUAL["qrels_doc_id"][0], None),
}


_LATE: dict[str, tuple[str | None, ...]] = {
    "documents": (None, None, "doc_title", "doc_language", "doc_group", "doc_place"),
    "queries": (None, None, None, "query_language"),
    "qrels": (None, None, None),
}
"""The roles that a JSON file's objects may have a column of that the first ones have not."""


def late_roles(keys: Sequence[str | None], config: object) -> list[str | None]:
    """Those of the keys that are auto; None in the place of the others."""
    return [key if key and getattr(config, key) == AUTO else None for key in keys]


def text_of(source: Source, config: TextInput) -> Text:
    """How a delimited file is read; qrels are cut at white space where a line has no tab."""
    cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
    kind = "csv" if kind_of_file(source.path) == "csv" else "tsv"
    spaces = source.kind == "qrels"
    return Text(source.path, kind, cap, most, spaces, source.digest, config.encoding)


def row_maker(
    kind: str, columns: Sequence[str | None], config: ColumnsInput
) -> Callable[[int, list[object], object], Row]:
    """What turns line, values and raw row of a kind of source into a row."""
    limit, graded = config.max_text_bytes, columns[2] is not None
    told = config.doc_language if kind == "documents" else config.query_language
    named = told not in (AUTO, None)

    def make_text(line: int, values: list[object], raw: object) -> Row:
        identity, text, title, language, *group = values
        tag = Tag(language, named)
        return text_row(kind, line, identity, text, title, limit, raw, tag, *group)

    def make_judgement(line: int, values: list[object], raw: object) -> Row:
        query_id, doc_id, grade = values
        word = word_value(grade)
        found = (grade if word is None else word) if graded else UNGRADED
        return judgement_row(line, query_id, doc_id, found, raw)

    return make_judgement if kind == "qrels" else make_text


def read(source: Source, config: ParquetInput | JsonlInput, seed: int) -> Iterator[Row]:
    """Rows of one file; its suffix, then the format, says how it is read."""
    kind = kind_of_file(source.path) or config.format
    columns = columns_of(source, config)
    if not columns:
        yield from read_qrels(text_of(source, config), _qrels_layout(source, config))
        return
    make = row_maker(source.kind, columns, config)
    for number, found, raw in _values(source, kind, columns, config):
        if isinstance(found, Rejected):
            yield bad(number, source.kind, found, raw)
        else:
            yield make(number, found, raw)


def _values(
    source: Source, kind: str, columns: Sequence[str | None], config: ParquetInput | JsonlInput
) -> Iterator[tuple[int, list[object] | Rejected, object]]:
    if kind in ("parquet", "arrow"):
        most = config.max_unpacked_bytes
        for number, values in table_rows(source.path, columns, most, digest=source.digest):
            yield number, values, values
        return
    if kind == "jsonl":
        yield from _json_values(source, columns, config)
        return
    text = text_of(source, config)
    names = [name.strip() for name in head(text, 0)[0] or ()]
    yield from placed(text, by_name(source.path, names, columns))


def _json_values(
    source: Source, columns: Sequence[str | None], config: ParquetInput | JsonlInput
) -> Iterator[tuple[int, list[object] | Rejected, object]]:
    watched = USUAL["grade"] if source.kind == "qrels" and config.grade == AUTO else ()
    late = () if columns[2] is not None else watched
    cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
    looked = LateColumns(columns, late_roles(_LATE[source.kind], config))
    for number, record, raw in objects(source.path, cap, most, source.digest):
        if isinstance(record, Rejected):
            yield number, record, raw
            continue
        grade = usual("grade", list(record)) if late and len(record) > 2 else None
        if grade is not None:
            raise DataError(
                f"{source.path} line {number} has a grade, {grade!r}, and those before it have none"
                f"; set input.grade: {grade} if it says what is relevant, null if it does not"
            )
        yield number, looked.values(record), raw
