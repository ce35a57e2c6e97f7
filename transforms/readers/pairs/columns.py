"""Which columns of a file of pairs are read; of an evaluation's, query and positives alone."""

from collections.abc import Sequence
from typing import NamedTuple

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO, HfPairsInput, PairsInput
from negmine.transforms.readers.pairs.unread_labels import UnreadLabels
from negmine.transforms.readers.tables.names import (
    USUAL,
    optional,
    plain,
    positives_among,
    required,
    usual,
)
from negmine.transforms.readers.tables.nested import Path, path_of

Config = PairsInput | HfPairsInput


class PairColumns(NamedTuple):
    """Where the parts of a row stand."""

    query: Path
    positives: tuple[Path, ...]
    negatives: tuple[Path, ...] = ()
    label: Path | None = None
    query_language: Path | None = None
    positive_language: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every path, in the order in which `pair_rows` takes their values."""
        more = (self.label, self.query_language, self.positive_language)
        return (self.query, *self.positives, *self.negatives, *(path for path in more if path))

    @property
    def names(self) -> list[str]:
        """The column of each path."""
        return [path.column for path in self.paths]


def pair_columns(
    config: Config, names: Sequence[str], where: str, evaluation: bool = False
) -> PairColumns:
    """The columns to read among the `names` of a file; of an evaluation's see `_kept_columns`.

    Raises DataError, naming the columns there are, where one is missing, where one that is not
    read has the name of a label, and where several hold positives and none was named.
    """
    found = (_kept_columns if evaluation else _columns_of)(config, names, where)
    if config.positive == AUTO:
        _refuse_several(positives_among(names), where, evaluation)
    unread_labels(where, config, found).columns(names)
    return found


def _refuse_several(positives: Sequence[str], where: str, evaluation: bool) -> None:
    """Raise DataError where several columns are called positives, of which auto takes one."""
    if len(positives) < 2:
        return
    if evaluation:
        raise DataError(
            f"{where} is kept for evaluation, and beside {positives[0]!r} its column "
            f"{positives[1]!r} may hold positives; name those that count as input.positive, or "
            "give it the columns of what is mined; --set input.evaluation_pairs=[] mines as if it "
            "were not there"
        )
    raise DataError(
        f"{where} has {' and '.join(map(repr, positives))}, which may all hold positives, and "
        f"input.positive does not say which do; set input.positive=[{', '.join(positives)}] for "
        "all, or name those that count"
    )


def _columns_of(config: Config, names: Sequence[str], where: str) -> PairColumns:
    return PairColumns(
        column(where, names, "query", config.query),
        _columns(where, names, "positive", config.positive),
        _columns(where, names, "negative", config.negative),
        None
        if config.label is None or config.label == AUTO
        else column(where, names, "label", config.label),
        *(_language(where, names, role, config) for role in ("query", "positive")),
    )


def _kept_columns(config: Config, names: Sequence[str], where: str) -> PairColumns:
    """Query, positives and, where it is there, label of a file that is kept for evaluation.

    By the names that are set, in any case, else by the usual ones; given negatives are not read.
    Raises DataError where query or positive is missing.
    """
    several = (config.positive,) if isinstance(config.positive, str) else config.positive
    positives = [path for one in several if (path := _same(one, names))]
    label = None if config.label in (None, AUTO) else _same(str(config.label), names)
    return PairColumns(
        _same(config.query, names) or _usual(where, names, "query"),
        tuple(positives) or (_usual(where, names, "positive"),),
        label=label,
    )


def check_kept(
    config: Config, mined: Sequence[str], kept: Sequence[tuple[str, Sequence[str]]]
) -> None:
    """Raise DataError where auto takes another column of what is kept than of what is mined.

    `mined` and `kept`: the columns of the one, and name and columns of each of the others.
    """
    for role in ("query", "positive"):
        own = usual(role, mined) if getattr(config, role) == AUTO else None
        for where, names in kept if own else ():
            other = usual(role, names)
            if own in names and other != own:
                raise DataError(
                    f"{where} is kept for evaluation, and its columns {own!r} and {other!r} may "
                    f"both be the {role}; what is mined has {own!r}: set input.{role}: {own}"
                )


def _same(setting: str, names: Sequence[str]) -> Path | None:
    """The path that a setting names, whatever the column's case; None for auto, and without it."""
    if setting == AUTO:
        return None
    alike = next((name for name in names if plain(name) == plain(setting)), None)
    return path_of(setting, names) or (Path(alike) if alike is not None else None)


def _usual(where: str, names: Sequence[str], key: str) -> Path:
    found = usual(key, names)
    if found is not None:
        return Path(found)
    raise DataError(
        f"{where} is kept for evaluation, and which of its columns is the {key} cannot be told; "
        f"they are {', '.join(map(repr, names[:20]))}. Give it the names of what is mined, or a "
        f"usual one ({', '.join(USUAL[key][:6])}); --set input.evaluation_pairs=[] mines as if it "
        "were not there"
    )


def _language(where: str, names: Sequence[str], role: str, config: Config) -> Path | None:
    key = f"{role}_language"
    setting = getattr(config, key)
    if setting is None or (setting == AUTO and usual(key, names) is None):
        return None
    return column(where, names, key, setting)


def unread_labels(where: str, config: Config, read: PairColumns) -> UnreadLabels:
    """What looks for labels that are not read, in a file that is read by these columns."""
    paths = read.paths[: 1 + len(read.positives)]
    return UnreadLabels(where, config, paths)


def _columns(
    where: str, names: Sequence[str], key: str, setting: str | tuple[str, ...] | None
) -> tuple[Path, ...]:
    several = (setting,) if isinstance(setting, str) else setting or ()
    return tuple(column(where, names, key, one) for one in several)


def column(where: str, names: Sequence[str], key: str, setting: str) -> Path:
    """The path that a setting names or, for auto, the column of a usual name. Raises DataError."""
    found = None if setting == AUTO and key in USUAL else path_of(setting, names)
    return found or Path(required(where, names, key, setting))


def usual_columns(config: Config) -> PairColumns:
    """What is looked for in a file of which no row can be read: each row then says so itself."""
    first = {key: USUAL[key][0] for key in ("query", "positive")}
    positive = config.positive if isinstance(config.positive, str) else config.positive[0]
    query = first["query"] if config.query == AUTO else config.query
    return PairColumns(Path(query), (Path(first["positive"] if positive == AUTO else positive),))


def named_columns(
    config: Config, names: Sequence[str], evaluation: bool = False
) -> list[str] | None:
    """The columns of a header, in the order of `PairColumns.paths`; None where one is missing."""
    try:
        found = (_kept_columns if evaluation else _columns_of)(config, names, "")
    except DataError:
        return None
    columns = found.names
    nested = any(path.steps for path in found.paths)
    # One column may say the language of both.
    texts = [path.column for path in found._replace(positive_language=None).paths]
    return None if nested or len(set(texts)) < len(texts) else columns


def pool_columns(
    where: str, names: Sequence[str], config: PairsInput, titled: bool
) -> tuple[Path, str | None]:
    """The column of the pool's texts, and that of their titles where these are read.

    Raises DataError.
    """
    text = _pool_text(where, names, config)
    if config.pool_title == AUTO:
        title = usual("doc_title", names) if titled else None
    else:
        title = optional(where, names, "pool_title", config.pool_title)
    return text, None if title == text.column else title


def _pool_text(where: str, names: Sequence[str], config: PairsInput) -> Path:
    if config.pool_text == AUTO and usual("pool_text", names) is None and len(names) == 1:
        return Path(names[0])
    return column(where, names, "pool_text", config.pool_text)
