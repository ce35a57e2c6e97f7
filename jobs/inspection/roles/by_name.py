"""Columns of queries, positives and given negatives by their names."""

from collections.abc import Mapping, Sequence

from negmine.jobs.inspection.columns import PASSAGES, Column
from negmine.jobs.inspection.names import (
    ANSWERING,
    DECLARED,
    NEGATIVE,
    QUERY,
    declared_among,
    is_against,
    is_label,
    named,
    names_ids,
    numbered,
    says_positive,
)
from negmine.jobs.inspection.roles.asked import option, quoted
from negmine.schemas.errors import DataError
from negmine.transforms.readers.pairs.labels import label_value
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.names import USUAL


def query_named(columns: Mapping[str, Column]) -> list[str]:
    """The column of queries."""
    kinds = ("text", "conversation", "object")
    found = [n for n in named(list(columns), QUERY) if columns[n].kind in kinds]
    return found[:1]


def positives_named(columns: Mapping[str, Column], query: Sequence[str]) -> list[str]:
    """Columns of positives by their names: all that say so, else what may answer a query."""
    known = [n for n, column in columns.items() if column.kind in PASSAGES and n not in query]
    known = [name for name in known if not _says_which(columns[name])]
    found = declared_among(known)
    if not found:
        found = named(known, ANSWERING)[:1]
        if not found and len(several := numbered(known, ANSWERING)) == 1:
            return several
    return found


def negatives_named(columns: Mapping[str, Column]) -> list[str]:
    """Columns of given negatives by their names."""
    known = [name for name, column in columns.items() if column.kind in PASSAGES]
    return [*named(known, NEGATIVE), *numbered(known, NEGATIVE)]


def is_declared(ways: Sequence[str]) -> bool:
    """Whether one of these names says that it holds positives."""
    return bool(named(ways, DECLARED) or numbered(ways, DECLARED))


def only_text(columns: Mapping[str, Column], taken: Sequence[str]) -> list[str]:
    """The one column of texts that has no role yet; none where there are several."""
    taken = [*taken, *negatives_named(columns)]
    free = [c for c in columns.values() if c.kind in ("text", "texts") and c.name not in taken]
    free = [c for c in free if not is_against(c.name) and not names_ids(c.name)]
    return [free[0].name] if len(free) == 1 else []


def _says_which(column: Column) -> bool:
    """Whether a column says which texts are positives, and holds none: yes and no, or letters."""
    items = [i for v in column.values for i in (v if isinstance(v, list) else [v])]
    return is_label(column.name) and all(map(_is_sign, items))


def _is_sign(value: object) -> bool:
    if isinstance(value, str) and len(value.strip()) == 1:
        return True
    try:
        label_value(value)
    except Rejected:
        return False
    return True


def ways(path: str, columns: Mapping[str, Column], names: Sequence[str], key: str) -> list[str]:
    """How a setting names the texts of columns of a role.

    Raises DataError where objects hold several texts, and none of them has a usual name.
    """
    for column in (columns[name] for name in names):
        if column.several:
            shown = ", ".join(map(quoted, column.several[:6]))
            more = f" and {len(column.several) - 6} more" if len(column.several) > 6 else ""
            way = option(column.several[0])
            say = f"--{key} {way}" if key != "negative" else f"--set input.negative={way}"
            both = "; --positive repeats, where all are positives" if key == "positive" else ""
            none = ", --set input.negative=null leaves them out" if key == "negative" else ""
            raise DataError(
                f"{path}: {quoted(column.name)} holds objects with several texts ({shown}{more}), "
                f"and which is the {key} cannot be told; say it, as in {say}{both}{none}"
            )
    return [columns[name].path for name in names]


def refuse_further_positives(
    path: str, columns: Mapping[str, Column], taken: Sequence[str], chosen: Sequence[str]
) -> None:
    """Raise DataError where a column that has no role may hold positives by its name."""
    for name, column in columns.items():
        if name in taken or column.kind not in PASSAGES or _says_which(column):
            continue
        if says_positive(name):
            one = " ".join(f"--positive {option(way)}" for way in chosen)
            raise DataError(
                f"{path}: {quoted(name)} may hold positives beside {quoted(chosen[0])}, and what "
                f"is left out may be mined as a negative; {one} --positive "
                f"{option(column.path)} takes both, {one} alone leaves it out"
            )


_INSTRUCTIONS = ("instruction", "prompt")
_INPUTS = ("input", "inputs")
"""Names of what an instruction is about, as in Alpaca's rows."""

_SAME = 10
"""Rows of the same query from which on another column may be the query."""


def refuse_half_a_query(
    path: str, columns: Mapping[str, Column], query: str, taken: Sequence[str]
) -> None:
    """Raise DataError where another column may be the query, or the other part of it."""
    free = [c for c in columns.values() if c.name not in taken and c.kind != "empty"]
    beside = named([c.name for c in free], _INPUTS) if named([query], _INSTRUCTIONS) else []
    same = columns[query].values if query in columns else ()
    if len(same) >= _SAME and all(value == same[0] for value in same):
        other = named([c.name for c in free], (*ANSWERING, *USUAL["doc_title"]))
        texts = [c for c in free if c.kind == "text" and c.name not in other]
        beside += [c.name for c in texts if 2 * len(set(map(str, c.values))) > len(c.values)]
    if beside:
        first, second = option(query), option(beside[0])
        raise DataError(
            f"{path}: {quoted(query)} and {quoted(beside[0])} may both be the query; --query "
            f"{second} takes the second ({quoted(query)} may be the model's: student.query_prompt)"
            f", --query {first} the first; where the query is both, write them into one column"
        )
