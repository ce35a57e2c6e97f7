"""Files of rows that are kept for evaluation: which of their columns are query and positive."""

from collections.abc import Sequence

from negmine.jobs.inspection.columns import PASSAGES, columns_of
from negmine.jobs.inspection.files.folders import Piece
from negmine.jobs.inspection.heads import Head, head_of
from negmine.jobs.inspection.names import (
    ANSWERING,
    DECLARED,
    NEGATIVE,
    QUERY,
    declares,
    is_against,
    is_train,
    named,
    says_positive,
)
from negmine.jobs.inspection.roles.understood import Settings, Understood
from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import PairsInput
from negmine.transforms.readers.pairs.columns import PairColumns, pair_columns
from negmine.transforms.readers.tables.names import plain, usual

_SET = "--set input.evaluation_pairs=[] mines as if it were not there"


def fitting(
    pieces: Sequence[Piece], head: Head, found: Understood, settings: Settings
) -> list[Piece]:
    """Those of other splits whose query and positives are known; the others hold no pairs.

    Writes the columns of what is mined into `found.values` where auto would take others of these.
    Raises DataError where a file may hold pairs and its columns cannot be told.
    """
    if found.format != "pairs" or "evaluation_pairs" in settings:
        return []
    kept = []
    for piece in pieces:
        told = head.encoding if head.kind in ("csv", "tsv") else None
        other = head_of(piece.files[0], told)
        if _holds_no_pair(other):
            _refuse_identifiers(other)
            continue
        if head.header != other.header and not (other.header and _by_usual_names(other)):
            raise DataError(
                f"{other.path} is kept for evaluation, and one of it and {head.path} has a header "
                f"and the other none; give it the header of what is mined; {_SET}"
            )
        if head.header:
            _check(other, head, found, settings)
        elif not other.header and len(other.names) != len(head.names):
            raise DataError(
                f"{other.path} is kept for evaluation, and has {len(other.names)} columns without "
                f"names, and {head.path} {len(head.names)}; give both a header; {_SET}"
            )
        kept.append(piece)
    return kept


def _holds_no_pair(head: Head) -> bool:
    """Whether a file has no two columns that may be a query and a text."""
    texts = [c for c in columns_of(head) if c.kind in {*PASSAGES, "conversation"} and not c.index]
    return len(texts) < 2


def _refuse_identifiers(head: Head) -> None:
    """Raise DataError where a file names its positives by identifiers."""
    known = {f"{text}id" for text in ("pos", "positive", "positivedoc", "answer", "gold")}
    known |= {"docid", "corpusid", "documentid", "pid", "passageid", "docno", "positivepid"}
    names = [name for name in head.names if plain(name).removesuffix("s") in known]
    if names:
        raise DataError(
            f"{head.path} is kept for evaluation, and its column {names[0]!r} holds identifiers of "
            f"documents and no texts; write the texts of its positives; {_SET}"
        )


def _by_usual_names(head: Head) -> bool:
    return all(usual(role, head.names) for role in ("query", "positive"))


def _check(other: Head, head: Head, found: Understood, settings: Settings) -> None:
    """Raise DataError where query and positives of a file cannot be told."""
    own = {"format": "pairs", "path": head.path, "label": None}
    known: JsonObject = {**own, **found.values, **_set(settings)}
    for role in ("query", "positive"):
        mined, there = usual(role, head.names), usual(role, other.names)
        if role not in known and mined in other.names and there != mined:
            known[role] = found.values[role] = mined
    names = {key: known[key] for key in (*own, "query", "positive") if key in known}
    read = pair_columns(PairsInput.model_validate(names), other.names, other.path, True)
    several = known.get("positive", usual("positive", head.names))
    wanted = several if isinstance(several, list | tuple) else [several]
    _check_others(other, read, any(path.column in wanted for path in read.positives))


def _set(settings: Settings) -> JsonObject:
    return {key: settings[key] for key in ("query", "positive") if key in settings}


def _check_others(other: Head, read: PairColumns, as_mined: bool) -> None:
    """Raise DataError where other columns than those that are read may hold positives too."""
    taken = {path.column for path in (read.query, *read.positives)}
    texts = [c.name for c in columns_of(other) if c.kind in PASSAGES and c.name not in taken]
    texts = [name for name in texts if not is_against(name) and not named([name], NEGATIVE)]
    declared = [name for name in texts if declares(name) or says_positive(name)]
    told = named([path.column for path in read.positives], DECLARED)
    answering = [] if as_mined or told else named(texts, (*ANSWERING, *QUERY))
    if declared or answering:
        positive = ", ".join(repr(path.column) for path in read.positives)
        raise DataError(
            f"{other.path} is kept for evaluation, and beside {positive} its column "
            f"{(declared or answering)[0]!r} may hold positives; give it the columns of what is "
            f"mined; {_SET}"
        )


def refuse_judgements(pieces: Sequence[Piece], settings: Settings) -> None:
    """Raise DataError where judgements of another split stand beside pairs."""
    other = [piece for piece in pieces if piece.split and not is_train(piece.split)]
    if other and "evaluation_pairs" not in settings:
        raise DataError(
            f"{other[0].pattern} holds judgements of the split {other[0].split!r}, and pairs are "
            f"mined, beside which only pairs are kept for evaluation; write it as pairs; {_SET}"
        )
