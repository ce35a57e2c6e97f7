"""Which columns of a file are query, positive, negative and label; or that it holds documents."""

from collections.abc import Mapping, Sequence

from negmine.jobs.inspection.columns import PASSAGES, Column, columns_of
from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.names import (
    ANSWERING,
    DECLARED,
    QUERY,
    has_role,
    is_against,
    is_split,
    is_train,
    named,
    names_splits,
    numbered,
    split_of,
)
from negmine.jobs.inspection.roles.asked import asked, column_of, identifiers, option, quoted, there
from negmine.jobs.inspection.roles.by_name import (
    is_declared,
    negatives_named,
    only_text,
    positives_named,
    query_named,
    refuse_further_positives,
    refuse_half_a_query,
    ways,
)
from negmine.jobs.inspection.roles.instructions import refuse_instructions
from negmine.jobs.inspection.roles.labels import label_of
from negmine.jobs.inspection.roles.understood import Settings, Understood
from negmine.jobs.inspection.roles.unnamed import without_names
from negmine.jobs.inspection.roles.values import Values
from negmine.jobs.inspection.roles.written import refuse_written
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO
from negmine.transforms.readers.tables.names import positives_among, usual
from negmine.transforms.readers.tables.nested import path_of


def understand(head: Head, settings: Settings, values: Values) -> Understood:
    """The roles of a file's columns; `settings` are keys of `input` that are decided already,
    `values` those of its columns.

    Raises DataError, naming the columns there are and how to say what they are, where no role can
    be found.
    """
    if not head.rows:
        raise DataError(f"{head.path} has no row; {there(head.names)}")
    columns = {column.name: column for column in columns_of(head)}
    _refuse_a_table_by_columns(head, columns)
    if settings.get("format") == "documents" or any(key in settings for key in _OF_DOCUMENTS):
        found = _documents(head, columns, settings)
    elif not head.header:
        pairs = without_names(head, columns, settings, values)
        found = _documents(head, columns, settings) if pairs is None else pairs
    else:
        found = _by_name(head, columns, settings, values)
        if found.format == "pairs":
            found.languages = _languages(head, settings)
    refuse_written(head, found, values)
    refuse_instructions(head, found, settings)
    _name_the_unused(found, columns)
    return found


def _languages(head: Head, settings: Settings) -> dict[str, str]:
    """What the columns of languages say that the reader of pairs takes."""
    found: dict[str, str] = {}
    for text in ("query", "positive"):
        key = f"{text}_language"
        setting = settings.get(key, AUTO)
        name = usual(key, head.names) if setting == AUTO else setting
        if isinstance(name, str) and (path := path_of(name, head.names)):
            one = path.column
            found[one] = "language" if one in found else f"language ({text})"
    return found


def _refuse_a_table_by_columns(head: Head, columns: Mapping[str, Column]) -> None:
    """Raise DataError for a table that is one object of columns, as pandas writes it to JSON."""
    if head.kind != "jsonl" or len(head.rows) != 1:
        return
    values = list(head.rows[0].values())
    lists = [value for value in values if isinstance(value, list)]
    listed = len(lists) == len(values) > 1 and {c.kind for c in columns.values()} <= _LISTS
    listed = listed and len(set(map(len, lists))) == 1 < len(lists[0])
    # Keys that are texts are queries, each with its positives.
    listed = listed and any(map(has_role, head.names))
    numbered = all(isinstance(v, dict) and v and all(map(str.isdecimal, v)) for v in values)
    if listed or numbered:
        raise DataError(
            f"{head.path} is a table by columns, one object of {', '.join(map(repr, head.names))}; "
            f"write a row a line: pd.read_json({head.path!r}, dtype=False).to_json('rows.jsonl', "
            "orient='records', lines=True)"
        )


_LISTS = frozenset({"texts", "ids", "numbers"})


_OF_DOCUMENTS = ("doc_text", "doc_title", "doc_id", "queries", "crop")


def _by_name(
    head: Head, columns: Mapping[str, Column], settings: Settings, values: Values
) -> Understood:
    told_query, told_positive = settings.get("query"), settings.get("positive")
    query = _told(head, told_query)[:1] or ways(head.path, columns, query_named(columns), "query")
    asking = [column_of(head, way) for way in query]
    positives = _told(head, told_positive) or ways(
        head.path, columns, positives_named(columns, asking), "positive"
    )
    taken = [column_of(head, way) for way in (*query, *positives)]
    if not query and positives and _declared(head, positives):
        query = ways(head.path, columns, only_text(columns, taken), "query")
    if query and not positives:
        positives = ways(head.path, columns, only_text(columns, taken), "positive")
    if not query and not positives and told_query is None:
        documents = usual("doc_text", list(columns))
        if documents and columns[documents].kind == "text":
            return _documents(head, columns, settings)
        query, positives = _by_order(head, columns)
        if not query:
            return _documents(head, columns, settings)
    elif not query and not _declared(head, positives):
        return _documents(head, columns, settings)
    if not query or not positives:
        raise DataError(
            (identifiers(head, columns) if query else "") or asked(head, columns, query, positives)
        )
    return _as_pairs(head, columns, query[0], positives, settings, values)


def _declared(head: Head, positives: Sequence[str]) -> bool:
    return is_declared([column_of(head, way) for way in positives])


def _told(head: Head, setting: object) -> list[str]:
    """Columns that were named. Raises DataError where one is not there."""
    several = [setting] if isinstance(setting, str) else setting
    written = [str(one) for one in several] if isinstance(several, list | tuple) else []
    for one in written:
        if path_of(one, head.names) is None:
            raise DataError(f"{head.path} has no column {one!r}; {there(head.names)}")
    return written


def _by_order(head: Head, columns: Mapping[str, Column]) -> tuple[list[str], list[str]]:
    """Two columns of texts of unknown names, in their order; none where there is one or many."""
    texts = [c.name for c in columns.values() if c.kind == "text" and not c.index]
    if len(texts) == 2 and not any(map(is_against, texts)):
        return texts[:1], texts[1:]
    if len(texts) == 1:
        return [], []
    raise DataError(asked(head, columns, [], []))


def _as_pairs(
    head: Head,
    columns: Mapping[str, Column],
    query: str,
    positives: Sequence[str],
    settings: Settings,
    values: Values,
) -> Understood:
    if query in positives:
        raise DataError(
            f"{head.path}: {quoted(query)} cannot be both the query and the positive; "
            "name two columns"
        )
    _refuse_splits(head, settings, values)
    _refuse_choices(head, columns, positives, settings)
    found = Understood("pairs")
    taken = {path.column for p in (query, *positives) if (path := path_of(p, head.names))}
    if "negative" in settings:
        negatives = _told(head, settings["negative"])
    else:
        negatives = [name for name in negatives_named(columns) if name not in taken]
        negatives = ways(head.path, columns, negatives, "negative")
    if query != usual("query", head.names):
        found.values["query"] = query
    if list(positives) != [usual("positive", head.names)] or len(positives_among(head.names)) > 1:
        found.values["positive"] = positives[0] if len(positives) == 1 else list(positives)
    held = [column_of(head, way) for way in positives]
    declared = _declared(head, positives)
    known = named([column_of(head, query)], QUERY) and (named(held, ANSWERING) or declared)
    if "query" not in settings and "positive" not in settings and not known and "." not in query:
        found.notes.append(
            f"{quoted(query)} is taken for the query and {quoted(positives[0])} for the positive,"
            f" by their order; the other way round: --query {option(positives[0])} --positive "
            f"{option(query)}"
        )
    if negatives:
        found.values["negative"] = negatives[0] if len(negatives) == 1 else negatives
        found.notes.append(
            f"given negatives ({', '.join(map(quoted, negatives))}) join the corpus: every source "
            "may find them and the judge reads them as any other candidate; which query they were "
            "given for is left out"
        )
    for name, role in ((query, "query"), *((p, "positive") for p in positives)):
        found.roles[column_of(head, name)] = role
    found.roles |= {column_of(head, name): "given negative" for name in negatives}
    if "query" not in settings:
        refuse_half_a_query(head.path, columns, query, list(found.roles))
    if "positive" not in settings:
        refuse_further_positives(head.path, columns, list(found.roles), positives)
    if "positive" not in settings and len(held) > 1 and not numbered(held, DECLARED):
        found.notes.append(
            f"{', '.join(map(quoted, positives))} hold positives, all of which count; --positive "
            f"{option(positives[0])} takes those of one column alone"
        )
    label_of(head, columns, positives, settings, found, declared, values)
    other = [n for n in named(list(columns), ANSWERING) if n not in found.roles]
    other = [n for n in other if columns[n].kind in PASSAGES]
    if other and "positive" not in settings:
        found.notes.append(
            f"the positive is {quoted(positives[0])}; {quoted(other[0])} instead: --positive "
            f"{option(columns[other[0]].path)}"
        )
    return found


def _refuse_splits(head: Head, settings: Settings, values: Values) -> None:
    """Raise DataError where a column says that some of the rows are kept for evaluation.

    It says so by its name, or by values that are all names of splits; in an object too.
    """
    for way in () if "evaluation_pairs" in settings else values.counts:
        name = way.rpartition(".")[2]
        found = [] if way in values.many else sorted(str(value) for value in values.of(way))
        other = [value for value in found if split_of(value) and not is_train(split_of(value))]
        if not named([name], ("split", "fold", "partition", "subset", "set")):
            other = [value for value in other if is_split(value)]
            alone = all(map(is_split, found)) and any(map(is_train, found))
            other = other if names_splits(name) or alone else []
        if other:
            raise DataError(
                f"{head.path}: {quoted(way)} holds {', '.join(map(repr, found[:6]))}; write the "
                f"rows of each into a file of its own, named for it ({other[0]}.jsonl), and name "
                "their folder; --set input.evaluation_pairs=[] mines all of them"
            )


def _refuse_choices(
    head: Head, columns: Mapping[str, Column], positives: Sequence[str], settings: Settings
) -> None:
    """Raise DataError where the positives are what is chosen from, and nothing says what is."""
    if "label" in settings or "positive" in settings:
        return
    for name in named(positives, ("choices", "options", "candidates", "endings", "alternatives")):
        if columns[name].kind in ("texts", "objects"):
            raise DataError(
                f"{head.path}: {quoted(name)} holds what is chosen from, so not all of it is a "
                "positive; --positive COLUMN names the positives, --set input.label=COLUMN the "
                "labels of the texts, --set input.label=null takes every text as a positive"
            )


def _documents(head: Head, columns: Mapping[str, Column], settings: Settings) -> Understood:
    """A file of texts alone."""
    texts = [c for c in columns.values() if c.kind == "text" and not c.index]
    text = settings.get("doc_text") or usual("doc_text", list(columns))
    if text is None and len(texts) == 1:
        text = texts[0].name
    if text is None and len(columns) == 1:
        text = next(iter(columns))
    if text is None or (isinstance(text, str) and text not in columns):
        raise DataError(asked(head, columns, [], []))
    found = Understood("documents")
    if head.header and text != usual("doc_text", list(columns)) and len(columns) > 1:
        found.values["doc_text"] = text
    names = list(columns)
    title, identity = usual("doc_title", names), usual("doc_id", names)
    found.roles = {str(text): "text"}
    found.roles |= {title: "title"} if title else {}
    found.roles |= {identity: "identifier"} if identity else {}
    by_title = title is not None and columns[title].kind == "text"
    asks = {"title": "its title", "crops": "one span of it", "first_sentence": "its first sentence"}
    how = str(settings.get("queries") or ("title" if by_title else "first_sentence"))
    if how != "title":
        found.values["queries"] = how
    found.notes.append(
        f"there are no queries, so pseudo-pairs are made and labelled as such: {asks.get(how, how)}"
        " asks for the rest of each document; --set input.queries=title, first_sentence or crops "
        "chooses"
    )
    _name_the_unused(found, columns)
    return found


def _name_the_unused(found: Understood, columns: Mapping[str, Column]) -> None:
    used = {*found.roles, *found.languages}
    unused = [c.name for c in columns.values() if c.name not in used and not c.index]
    if unused and not any(note.startswith("not used") for note in found.notes):
        more = f" and {len(unused) - 12} more" if len(unused) > 12 else ""
        found.notes.append(f"not used: {', '.join(map(quoted, unused[:12]))}{more}")
