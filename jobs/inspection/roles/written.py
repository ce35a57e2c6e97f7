"""Lists and objects that were written as text, as pandas writes them into a CSV."""

import re

from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.roles.understood import Understood
from negmine.jobs.inspection.roles.values import Values
from negmine.schemas.errors import DataError
from negmine.transforms.readers.tables.names import usual

_TEXTS = ("query", "positive", "given negative", "text")
_SHARE = 0.2
"""Share of a column from which on its values are no texts; code and intervals are some."""


def refuse_written(head: Head, found: Understood, values: Values) -> None:
    """Raise DataError where texts are lists that were written as text; note where a few are."""
    paths = [found.values.get(key) for key in ("query", "positive", "negative")]
    several = [p for path in paths for p in (path if isinstance(path, list) else [path])]
    names = [name for name, role in found.roles.items() if role in _TEXTS]
    for way in dict.fromkeys((*names, *(re.sub(r"\[\d*\]", "", str(p)) for p in several if p))):
        count, total = values.literals[way], values.texts[way]
        if count and count >= _SHARE * total:
            raise DataError(_sentence(head, way, values.examples[way], count, total))
        if count:
            found.notes.append(
                f"{count:,} of the {total:,} texts of {way} are lists or objects written as text "
                f"({values.examples[way]}), and are read as they stand"
            )


def refuse_written_pool(head: Head, named: object) -> None:
    """Raise DataError as `refuse_written`, of the first rows of further documents."""
    name = named or usual("pool_text", head.names) or head.names[0]
    values = Values()
    for row in head.rows:
        values.add(row)
    refuse_written(head, Understood("documents", roles={str(name): "text"}), values)


def _sentence(head: Head, way: str, example: str, count: int, total: int) -> str:
    return (
        f"{head.path}: column {way!r} holds lists written as text ({example}...) in "
        f"{count:,} of {total:,} rows; write the table so that they stay lists: "
        "df.to_parquet('pairs.parquet'), or df.to_json('pairs.jsonl', orient='records', "
        f"lines=True), where need be after df[{way!r}].map(ast.literal_eval). Where they are texts "
        "as they stand, such as code, name format, path and columns in a config, which is read as "
        "it says"
    )
