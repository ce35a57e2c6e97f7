"""Tab-separated collections without a header: `id<TAB>text` and TREC qrels, as of MS MARCO."""

from collections.abc import Iterator

from schemas.inputs import TsvInput
from transforms.readers.lines import decoded, line_cap, lines
from transforms.readers.paths import evaluation_sources, file_sources
from transforms.readers.qrels import read_qrels
from transforms.readers.rows import Rejected, Row, Source, bad, text_row


def sources(config: TsvInput) -> list[Source]:
    """A source for each file.

    Raises DataError naming a path that is missing, ConfigError where qrels of the evaluation are
    mined.
    """
    found = [
        source
        for kind in ("documents", "queries", "qrels")
        for source in file_sources(kind, getattr(config, kind), kind, ["tsv"])
    ]
    for kind, mined in (("queries", []), ("qrels", found)):
        key = f"evaluation_{kind}"
        found += evaluation_sources(kind, getattr(config, key), key, ["tsv"], mined)
    return found


def read(source: Source, config: TsvInput, seed: int) -> Iterator[Row]:
    """Rows of one file."""
    cap = line_cap(config.max_text_bytes)
    if source.kind == "qrels":
        yield from read_qrels(source, cap, config.max_unpacked_bytes)
        return
    most = config.max_unpacked_bytes
    for number, data, size in lines(source.path, cap, most, source.digest):
        try:
            columns = decoded(data, size).split("\t")
            if len(columns) != 2:
                raise Rejected("wrong_columns", f"{len(columns)} columns, expected 2")
        except Rejected as why:
            yield bad(number, source.kind, why, data)
            continue
        identity, text = columns
        limit = config.max_text_bytes
        yield text_row(source.kind, number, identity, text, None, limit, data)
