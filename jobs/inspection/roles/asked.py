"""What is said of columns whose role cannot be told."""

from collections.abc import Mapping, Sequence

from negmine.jobs.inspection.columns import Column
from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.names import (
    ANSWERING,
    declares,
    is_against,
    is_label,
    named,
    says_positive,
)
from negmine.jobs.terminal import printable
from negmine.transforms.readers.tables.names import USUAL, usual
from negmine.transforms.readers.tables.nested import path_of


def asked(
    head: Head, columns: Mapping[str, Column], query: Sequence[str], positives: Sequence[str]
) -> str:
    """The sentence where a role cannot be found."""
    names = list(columns)
    ids = [usual(role, names) for role in ("qrels_query_id", "qrels_doc_id")]
    if None not in ids and ids[0] != ids[1] and not any(c.kind == "text" for c in columns.values()):
        return judgements(head)
    missing = "query" if not query else "positive"
    known = [*query, *positives][:1]
    which = f"{quoted(known[0])} is {'the query' if query else 'a positive'}, but " if known else ""
    return (
        f"{head.path}: {which}which column is the {missing} cannot be told; {there(names)}"
        f"{_wrapped(head, columns)}. Say it: --query COLUMN --positive COLUMN, or, where there are "
        f"documents alone, --set input.doc_text=COLUMN. Usual names are "
        f"{', '.join(USUAL['query'])}; {', '.join(USUAL['positive'][:6])}"
    )


def identifiers(head: Head, columns: Mapping[str, Column]) -> str:
    """The sentence where what may be the positives is identifiers; empty where nothing is."""
    held = [c for c in columns.values() if c.kind in ("id", "ids") and not is_against(c.name)]
    said = [c for c in held if declares(c.name) or says_positive(c.name)]
    said += [c for c in held if named([c.name], ANSWERING)] + [c for c in held if c.kind == "ids"]
    if not said:
        numbers = [c for c in columns.values() if c.kind in ("number", "numbers")]
        said = [c for c in numbers if declares(c.name) and not is_label(c.name)]
    if not said:
        return ""
    items = [i for v in said[0].values for i in (v if isinstance(v, list) else [v])]
    texts = "" if isinstance(items[0], dict) else "Where they are texts: --positive "
    return (
        f"{head.path}: {quoted(said[0].name)} holds identifiers ({printable(str(items[0])[:40])}),"
        f" and a positive is a text; {INSTEAD}{texts and f'. {texts}{option(said[0].name)}'}"
    )


INSTEAD = (
    "write the texts in their place, or make a folder of corpus.jsonl (_id, text), queries.jsonl "
    "(_id, text) and qrels.tsv (query-id, corpus-id)"
)
"""What to do with positives that are identifiers."""


def judgements(head: Head) -> str:
    return (
        f"{head.path} holds judgements alone ({there(head.names)}); name the folder that holds "
        "the documents and queries too"
    )


def _wrapped(head: Head, columns: Mapping[str, Column]) -> str:
    """What to do with a JSON file that is one object around the rows."""
    if head.kind != "jsonl" or len(head.rows) != 1:
        return ""
    kinds = {column.kind for column in columns.values()}
    if len(columns) > 3 and kinds <= {"text", "texts"}:
        entries = "to_entries[] | {query: .key, positive: .value}"
        return f". Where they are the queries: jq -c '{entries}' {head.path} > rows.jsonl"
    rows = next((c.name for c in columns.values() if c.kind == "objects"), None)
    if rows is None:
        return ""
    return f", and {rows!r} holds a list of rows: jq -c '.{rows}[]' {head.path} > rows.jsonl"


def there(names: Sequence[str]) -> str:
    """The columns there are."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"its columns are {', '.join(map(repr, names[:20]))}{more}"


def column_of(head: Head, written: str) -> str:
    """The column that a way begins with."""
    path = path_of(written, head.names)
    return path.column if path else written


def quoted(name: str) -> str:
    """A name in front of people."""
    return printable(name)


def option(name: str) -> str:
    """A name as a word of a shell."""
    return f"'{name}'" if any(not (c.isalnum() or c in "_-.") for c in name) else name
