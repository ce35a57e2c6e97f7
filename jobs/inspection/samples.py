"""The first rows of an input, as its reader gives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from pydantic import TypeAdapter, ValidationError

from negmine.schemas.errors import ConfigError
from negmine.schemas.inputs import Input
from negmine.schemas.limits import reason
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.rows import Bad, Document, Judgement, Query, Row

ROWS = 3
_MOST = 1000
"""Rows of a reader that are looked at for the first three lines."""

_ADAPTER: TypeAdapter[Input] = TypeAdapter(Input)
_SEED = 42


@dataclass
class Sample:
    """A line: the query, its positives and further documents; or a document or query alone."""

    query: str = ""
    positives: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    bad: str = ""


def input_of(section: Mapping[str, object]) -> Input:
    """An `input` section, validated. Raises ConfigError for a section that is none."""
    try:
        made: Input = _ADAPTER.validate_python(dict(section))
    except ValidationError as error:
        found = error.errors()[0]
        key = ".".join(str(part) for part in found["loc"][1:])
        raise ConfigError(f"input.{key}: {reason(found)}") from None
    return made


def samples(config: Input) -> list[Sample]:
    """The first three lines of each kind of source of an input.

    Raises what `transforms.readers.sources` does.
    """
    found_samples: list[Sample] = []
    seen: set[str] = set()
    for source in sources(config):
        if source.evaluation or source.kind in seen or source.kind in ("qrels", "labels"):
            continue
        seen.add(source.kind)
        if source.kind == "documents" and "pairs" in seen:
            continue
        found_samples += _by_line(islice(read(source, config, _SEED), _MOST))
    return found_samples


def _by_line(rows: Iterator[Row]) -> list[Sample]:
    lines: dict[int, list[Row]] = {}
    for row in rows:
        if row.line not in lines and len(lines) == ROWS:
            break
        lines.setdefault(row.line, []).append(row)
    return [_sample(found) for found in lines.values()]


def _sample(rows: list[Row]) -> Sample:
    made = Sample()
    judged = {row.doc_id for row in rows if isinstance(row, Judgement) and row.positive}
    for row in rows:
        if isinstance(row, Query):
            made.query = row.text
        elif isinstance(row, Document):
            (made.positives if row.id in judged else made.documents).append(row.text)
        elif isinstance(row, Bad):
            made.bad = row.reason
    return made
