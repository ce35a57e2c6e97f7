"""Look at somebody's data: its format, the roles of its columns, its size, some rows."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from negmine.jobs.inspection import hub
from negmine.jobs.inspection.columns import KINDS, columns_of
from negmine.jobs.inspection.files import collections
from negmine.jobs.inspection.files.alike import (
    against,
    encoding_told,
    header_told,
    refuse_late,
    refuse_others,
)
from negmine.jobs.inspection.files.beir import beir_parts, beside, is_beir, only_beir
from negmine.jobs.inspection.files.folders import Contents, Piece, chosen, contents, kept_out
from negmine.jobs.inspection.files.kept_out import fitting, refuse_judgements
from negmine.jobs.inspection.files.pools import pool_of, pool_title
from negmine.jobs.inspection.findings import Findings, Told
from negmine.jobs.inspection.heads import Head, head_of
from negmine.jobs.inspection.identifiers import refuse_identifiers
from negmine.jobs.inspection.render import commented, told
from negmine.jobs.inspection.roles.pairs import understand
from negmine.jobs.inspection.roles.understood import HINTS, Settings, Understood
from negmine.jobs.inspection.roles.values import looked_through
from negmine.jobs.inspection.samples import input_of, samples
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.locations import is_url
from negmine.transforms import storage
from negmine.transforms.readers.beir import splits_in
from negmine.transforms.readers.columns import ANY
from negmine.transforms.readers.paths import expand

_NAMED = 20
"""Files without a use that are named."""

JUDGE = "fusion"
"""The judge of data that nobody wrote a config for: it needs no download."""


@dataclass(frozen=True)
class Inspection(Findings):
    """What somebody's data was taken for, see `Findings`, and how that is told."""

    def text(self, values: Mapping[str, object] | None = None) -> str:
        """All of it for people, in lines; texts of strangers are made harmless.

        `values`: what it became with the options beside it, those of the inspection unless given.
        """
        return told(self, self.values if values is None else values)

    def yaml(self, values: Mapping[str, object] | None = None) -> str:
        """The config, commented: `values`, or those of the inspection."""
        return commented(self, self.values if values is None else values)


def inspect(path: str, pool: str | None = None, settings: Settings | None = None) -> Inspection:
    """What a file, a folder or a data set of the hub is, by a bounded look at it.

    Args:
        path: file (CSV, TSV, JSON, Parquet, Arrow), folder (of such files, BEIR's, saved data
            sets), or the hub's name of a data set.
        pool: further documents, a file or folder.
        settings: keys of `input` that are decided already, such as query, positive, encoding; and
            `split`, which of several is mined.

    Raises DataError with one sentence where it is not there, or it cannot be told what is what,
    and ConfigError where a library has to be installed first.
    """
    known = {key: value for key, value in (settings or {}).items() if key != "pool"}
    pool = pool or _text((settings or {}).get("pool"))
    place = storage.local_path(path)
    if storage.is_dir(place):
        found = _folder(path, place, known)
    elif storage.is_file(place):
        found = _rows(path, [Piece(path, (str(place),))], known)
    elif glob.has_magic(path):
        files = tuple(str(file) for file, _ in expand(path, "path", ANY))
        found = _rows(path, [Piece(path, files)], known)
    elif is_url(path) or not hub.is_name(path):
        raise DataError(f"{path} does not exist; looked at {place.absolute()}")
    else:
        found = _hub(path, known)
    if pool is not None:
        found = _with_pool(found, pool, known)
    section = found.input | {k: v for k, v in known.items() if k not in HINTS}
    more, notes = pool_title(section)
    values = {"input": section | more, "judge": {"kind": JUDGE}}
    made = Inspection(**{**vars(found), "values": values, "notes": [*found.notes, *notes]})
    config = input_of(made.input)
    rows = samples(config)
    refuse_identifiers(config)
    return Inspection(**{**vars(made), "rows": rows})


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _folder(path: str, place: Path, settings: Settings) -> Inspection:
    if settings.get("format") == "beir":
        return _beir(path, place, settings)
    if not is_beir(place):
        return _parts(path, settings)
    others = beside(place)
    if not others.belonging:
        return _left_out(_beir(path, place, settings), [f"{path}/{way}" for way in others.others])
    try:
        return _parts(path, settings)
    except DataError as error:
        raise only_beir(path, error) from None


def _parts(path: str, settings: Settings) -> Inspection:
    """A folder by the names of its files."""
    found = contents(path)
    if found.documents and found.queries and found.qrels:
        made = _collection(path, found, settings)
        kept = "evaluation_queries" in made.input
        of = str(made.input["queries"])
        queries = [p for p in found.queries if kept or p.pattern.startswith(of)]
        return _told_of(made, found, [*found.documents, *queries, *found.qrels])
    if found.documents and found.queries:
        raise DataError(
            f"{path} holds documents and queries, and no qrels that say which answer which; put "
            "a file qrels.tsv there (query<TAB>document), or name the documents alone"
        )
    if found.rows or found.qrels:
        if found.rows:
            refuse_judgements(found.qrels, settings)
        made = _rows(path, found.rows or found.qrels, settings, found.documents)
        used = [*(found.rows or found.qrels), *found.documents]
    else:
        made = _rows(path, found.documents or found.queries, settings)
        used = found.documents or found.queries
    return _told_of(made, found, used)


def _told_of(made: Inspection, found: Contents, used: Sequence[Piece]) -> Inspection:
    """The same, with a note of the files that have no use."""
    every = [*found.documents, *found.queries, *found.qrels, *found.rows]
    return _left_out(made, [*(p.pattern for p in every if p not in used), *found.left])


def _left_out(made: Inspection, left: Sequence[str]) -> Inspection:
    if not left:
        return made
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    return replace(made, notes=[*made.notes, f"left out: {', '.join(left[:_NAMED])}{more}"])


def _beir(path: str, place: Path, settings: Settings) -> Inspection:
    splits = splits_in(place)
    split = collections.split_of(splits, _text(settings.get("split")), path)
    others = [name for name in splits if name != split]
    values: JsonObject = {"format": "beir", "path": path}
    values |= {"split": split} if split != "train" else {}
    values |= {"evaluation_splits": others} if others else {}
    kept = [Piece(name, (name,), name) for name in others]
    notes = [collections.kept_out_note(kept, ("evaluation_splits",))] if others else []
    counts, columns = beir_parts(place, split)
    return Inspection(path, {"input": values}, "BEIR folder", columns, counts, notes=notes)


def _collection(path: str, found: Contents, settings: Settings) -> Inspection:
    split = _text(settings.get("split"))
    qrels = chosen(found.qrels, split, "qrels", path)
    of = qrels[0].split
    same = [piece for piece in found.queries if piece.split == of]
    queries = same or [piece for piece in found.queries if piece.split is None] or found.queries
    parts = {"documents": found.documents, "queries": queries, "qrels": qrels}
    others = kept_out(found.qrels, qrels)
    asked = [piece for piece in found.queries if piece not in queries and piece.split]
    values, counts, columns = collections.files_input(parts, path)
    if others:
        values["evaluation_qrels"] = [piece.pattern for piece in others]
    if others and asked:
        values["evaluation_queries"] = [piece.pattern for piece in asked]
    keys = [key for key in ("evaluation_qrels", "evaluation_queries") if key in values]
    notes = [collections.kept_out_note(others, keys)] if others else []
    shape = f"documents, queries and qrels ({values['format']})"
    return Inspection(path, {"input": values}, shape, columns, counts, notes=notes)


def _rows(
    path: str, pieces: Sequence[Piece], settings: Settings, pool: Sequence[Piece] = ()
) -> Inspection:
    """One file of rows, or several that are alike; those of other splits are kept out."""
    aside = against(path, pieces, settings)
    mined = chosen(
        [piece for piece in pieces if piece not in aside],
        _text(settings.get("split")),
        "rows",
        path,
    )
    patterns, files = collections.one_pattern(mined, path)
    head = head_of(files[0], encoding_told(settings), header_told(settings))
    refuse_others(head, files, settings)
    first = head.names
    head, seen = looked_through(head, files)
    found = understand(head, settings, seen)
    refuse_late([name for name in found.roles if name not in first], found, files)
    values: JsonObject = {"format": found.format, "path": patterns, **found.values}
    if head.encoding != "utf-8":
        values["encoding"] = head.encoding
    if _says_header(head, found):
        values["header"] = ["path"]
    notes = list(found.notes)
    counts = {"rows": collections.count(head, files)}
    other = [piece for piece in kept_out(pieces, mined) if piece not in aside]
    kept = fitting(other, head, found, settings)
    values |= found.values
    if kept:
        values["evaluation_pairs"] = [piece.pattern for piece in kept]
        notes.append(collections.kept_out_note(kept, ("evaluation_pairs",)))
    told = settings.get("evaluation_pairs")
    used = told if isinstance(told, list | tuple) else ()
    left = [p for p in pieces if p not in mined and p not in kept and p.pattern not in used]
    if left:
        notes.append(f"left out: {', '.join(piece.pattern for piece in left)}")
    if not seen.whole:
        notes.append(f"labels and further columns were looked for in the first {seen.rows:,} rows")
    if found.format == "documents" and head.kind == "tsv" and len(files) > 1:
        notes.append(collections.a_line_each(path))
    if found.format == "pairs" and pool:
        more, counts["further documents"] = pool_of(pool, path, settings, head.encoding)
        values |= more
    shape = collections.shape_of(head, len(files))
    return Inspection(
        path,
        {"input": values},
        shape,
        columns=_columns(head, found),
        counts=counts,
        notes=notes,
    )


def _says_header(head: Head, found: Understood) -> bool:
    """Whether it has to be said that line 1 is a header: names that are missing hide it."""
    return head.kind in ("csv", "tsv") and head.header and not all(head.names[1:])


def _columns(head: Head, found: Understood) -> list[Told]:
    roles = {**found.languages, **found.roles}
    return [Told(c.name, KINDS[c.kind], roles.get(c.name, "")) for c in columns_of(head)]


def _hub(path: str, settings: Settings) -> Inspection:
    found = hub.look(path, _text(settings.get("split")))
    if found.head is None:
        return Inspection(path, {"input": found.values}, found.shape, notes=found.notes)
    head, seen = looked_through(found.head, [])
    understood = understand(head, settings, seen)
    if understood.format != "pairs":
        raise DataError(
            f"data set {path!r} holds documents alone; save it as Parquet and name that file: "
            "datasets.load_dataset(...).to_parquet('documents.parquet')"
        )
    return Inspection(
        path,
        {"input": {**found.values, **understood.values}},
        found.shape,
        columns=_columns(found.head, understood),
        counts={"rows": found.head.count or 0},
        notes=[*found.notes, *understood.notes],
    )


def _with_pool(found: Inspection, pool: str, settings: Settings) -> Inspection:
    values = found.input
    if values["format"] != "pairs":
        raise ConfigError(
            f"--pool goes with pairs, and {found.place} was taken for {found.shape}; leave --pool "
            "out, or name a file of pairs"
        )
    place = storage.local_path(pool)
    if not storage.exists(place):
        raise DataError(f"--pool {pool} does not exist; looked at {place.absolute()}")
    pieces = [Piece(pool, (str(place),))]
    if storage.is_dir(place):
        inside = contents(pool)
        pieces = inside.documents or inside.rows
    more, count = pool_of(pieces, pool, settings, str(values.get("encoding", "utf-8")))
    counts = {**found.counts, "further documents": count}
    return Inspection(**{**vars(found), "values": {"input": values | more}, "counts": counts})
