"""An inspection in front of people, and as a config that they can go on from."""

from collections.abc import Iterator, Mapping

import yaml

from negmine.jobs.inspection.findings import Findings
from negmine.jobs.inspection.samples import Sample
from negmine.jobs.terminal import printable
from negmine.schemas.config import Student

_WIDTH = 96
DEFAULT_STUDENT = str(Student.model_fields["model"].default)
_SECTIONS = {
    "student": "the embedding model to be trained: a folder or a hub name",
    "judge": "says how safe a negative is; fusion and none need no download",
    "tiers": "quota = negatives a query",
}
_MEANT = {
    "format": "how the files are read; docs/own-corpus.md has them all",
    "query": "column of the query",
    "positive": "column or columns of the positives",
    "negative": "given negatives: their texts join the corpus",
    "label": "column that says which rows are positives",
    "label_above": "a row is a positive where its label is above this",
    "pool": "further documents",
    "pool_text": "its column of text",
    "pool_title": "its column of titles, null for none",
    "queries": "what asks for a document, or the file of queries",
    "encoding": "of CSV and TSV files",
    "header": "the settings whose files begin with a header",
    "split": "which qrels are mined",
    "evaluation_splits": "kept out of training",
    "evaluation_pairs": "kept out of training",
    "evaluation_qrels": "kept out of training",
    "evaluation_queries": "the queries of evaluation_qrels",
    "doc_text": "column of the texts",
}


def told(found: Findings, values: Mapping[str, object]) -> str:
    """What was understood, for people."""
    lines = [f"{printable(found.place)}: {found.shape}{_counted(found)}"]
    if found.columns:
        lines.append("  columns")
        width = min(36, max(len(printable(c.name)) for c in found.columns) + 2)
        for column in found.columns:
            name = printable(column.name) or "(no name)"
            lines.append(f"    {_cut(name, 34):<{width}}{column.holds:<20}{column.role or '-'}")
    if found.rows:
        lines.append("  the first rows")
        lines += [f"    {line}" for row in found.rows for line in _row(row)]
    lines += [f"  note: {printable(note)}" for note in found.notes]
    lines.append("  as a config")
    lines += [f"    {line}" for line in _dumped(values).splitlines()]
    return "\n".join(lines)


def _counted(found: Findings) -> str:
    parts = [
        f"{n:,} {what}" if isinstance(n, int) else f"{what} {n}".replace("rows ", "", 1)
        for what, n in found.counts.items()
    ]
    return f", {', '.join(parts)}" if parts else ""


def _row(row: Sample) -> Iterator[str]:
    if row.bad:
        yield f"bad: {_cut(row.bad)}"
    if row.query:
        yield f"query     {_cut(row.query)}"
    for what, texts in (("positive", row.positives), ("document", row.documents)):
        for text in texts[:2]:
            yield f"{what:<10}{_cut(text)}"
        if len(texts) > 2:
            yield f"{'':<10}and {len(texts) - 2} more"


def _cut(text: str, width: int = _WIDTH - 16) -> str:
    shown = printable(" ".join(text[: 4 * width].split()))
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def _dumped(values: Mapping[str, object]) -> str:
    return str(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=10**6))


def commented(found: Findings, values: Mapping[str, object]) -> str:
    """Values as YAML, each section and each key of `input` with what it means."""
    lines = [f"# {printable(found.place)}: {found.shape}{_counted(found)}."]
    lines += [f"# {printable(note)}" for note in found.notes]
    lines.append("# Mine it with `negmine mine THIS_FILE`; docs/config.md has every key.")
    sections = {"input": {}, "student": {"model": DEFAULT_STUDENT}, **values}
    for section, value in sections.items():
        if section in _SECTIONS:
            lines.append(f"# {_SECTIONS[section]}")
        if not isinstance(value, Mapping):
            lines += _dumped({section: value}).rstrip().splitlines()
            continue
        lines.append(f"{section}:")
        for key, entry in value.items():
            dumped = _dumped({key: entry}).rstrip().splitlines()
            meant = _MEANT.get(key, "") if section == "input" else ""
            dumped[0] += f" # {meant}" if meant else ""
            lines += [f"  {line}" for line in dumped]
    return "\n".join(lines) + "\n"
