"""`negmine.mine` and `negmine.audit`: keywords and objects in, a run out."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from negmine.jobs import actions
from negmine.jobs.api.errors import plainly
from negmine.jobs.api.given import Model, Table, is_cross_encoder, place_model, place_table
from negmine.jobs.api.quiet import libraries_quiet
from negmine.jobs.api.run import MinedRun, opened
from negmine.jobs.audit.request import Request
from negmine.jobs.choices import Choices
from negmine.jobs.inspection.inspection import JUDGE
from negmine.jobs.load_config import config_of
from negmine.jobs.resolve_config import resolve, with_choices
from negmine.jobs.runner.progress import quietly, tell
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError
from negmine.schemas.judges import KINDS

if TYPE_CHECKING:
    from negmine.jobs.audit.run import Audit

_PARTS = ("documents", "queries", "qrels")


@plainly
def mine(
    config: Config | str | os.PathLike[str] | None = None,
    options: Sequence[str] = (),
    *,
    pairs: Table | None = None,
    documents: Table | None = None,
    queries: Table | None = None,
    qrels: Table | None = None,
    query: str | None = None,
    positive: str | Sequence[str] | None = None,
    student: Model | None = None,
    judge: Model | Mapping[str, object] | None = None,
    negatives: int | None = None,
    output: str | os.PathLike[str] | None = None,
    settings: Sequence[str] = (),
    max_leak: float | None = None,
    min_gain: float | None = None,
    quiet: bool = False,
    **sections: object,
) -> MinedRun:
    """Mine negatives end to end and publish the run.

    What is mined is one of: `config`; `pairs`, with further `documents` if there are any;
    `documents`, `queries` and `qrels`; `documents` alone, whose queries are then made from them.

    Args:
        config: a Config, the path of a YAML file, or a preset's name.
        options: Beam's.
        pairs: queries and their positives: a path, DataFrame, `datasets.Dataset`, Arrow table, or
            list; columns by their usual names, see docs/own-corpus.md.
        documents, queries, qrels: tables likewise.
        query, positive: columns of `pairs`, where their names do not say it.
        student: name, folder, or a loaded SentenceTransformer.
        judge: a kind (`fusion`, `none`, ...), a cross-encoder's name or folder, a loaded model, or
            the section as a dictionary.
        negatives: of a query; the quota of the tier `hard`.
        output: folder that the run is published in, `out` unless given.
        settings: `key=value` as of `--set`.
        max_leak, min_gain: choose the judge's threshold by a sweep: see `negmine mine --help`.
        quiet: tell nothing of stages while they run.
        sections: of the config by name, such as `sampling={"method": "top"}` or `seed=7`; keys of a
            section that is there are replaced.

    Raises:
        NegmineError: what is wrong with the input, a setting, a model or the output, in a sentence.
    """
    place = os.fspath(output) if output is not None else None
    with quietly(quiet), libraries_quiet():
        if isinstance(config, Config):
            given = (pairs, documents, queries, qrels, student, judge, negatives, place)
            if any(value is not None for value in given) or settings or sections:
                raise ConfigError(
                    "a Config says everything; give what differs in it, or give the path of its "
                    "file and what differs beside it"
                )
            return opened(actions.mine(config, options, max_leak, min_gain))
        where = place or "out"
        inside = sections.pop("input", {})
        said = [*settings, *(f"input.{key}={json.dumps(v)}" for key, v in _section(inside).items())]
        choices = Choices(
            settings=said,
            output=place,
            query=query,
            positive=(positive,) if isinstance(positive, str) else tuple(positive or ()),
            student=None if student is None else place_model(student, where),
            negatives=negatives,
        )
        values, name = _values(config, pairs, documents, queries, qrels, where, choices)
        _put(values, sections)
        if judge is not None:
            values["judge"] = _judge(judge, where)
        made = config_of(with_choices(values, choices), name, said, place)
        return opened(actions.mine(made, options, max_leak, min_gain))


def _put(values: JsonObject, sections: Mapping[str, object]) -> None:
    """Put sections into a raw config; keys of one that is there are replaced."""
    for key, value in sections.items():
        before = values.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            value = {**before, **value}
        values[key] = value


def _values(
    config: str | os.PathLike[str] | None,
    pairs: Table | None,
    documents: Table | None,
    queries: Table | None,
    qrels: Table | None,
    output: str,
    choices: Choices,
) -> tuple[JsonObject, str]:
    """The raw config that the arguments name, and a name for its errors; tells what data is."""
    if config is not None:
        if any(table is not None for table in (pairs, documents, queries, qrels)):
            raise ConfigError("give a config or tables to mine, not both")
        return _told(os.fspath(config), choices)
    if pairs is not None:
        if queries is not None or qrels is not None:
            raise ConfigError("pairs say their own queries; leave out queries and qrels")
        pool = None if documents is None else place_table(documents, output, "documents")
        return _told(place_table(pairs, output, "pairs"), replace(choices, pool=pool))
    if documents is None:
        raise ConfigError("nothing to mine: give a config, pairs, or documents")
    if (queries is None) != (qrels is None):
        lacking = "queries" if queries is None else "qrels"
        raise ConfigError(f"{lacking} are missing: documents, queries and qrels go together")
    if queries is None:
        return _told(place_table(documents, output, "documents"), choices)
    tables = zip(_PARTS, (documents, queries, cast(Table, qrels)), strict=True)
    parts = {role: place_table(table, output, role) for role, table in tables}
    return {"input": {"format": "parquet", **parts}, "judge": {"kind": JUDGE}}, "documents"


def _told(argument: str, choices: Choices) -> tuple[JsonObject, str]:
    found = resolve(argument, choices)
    if found.inspection is not None:
        tell(found.inspection.text(found.values))
    return found.values, found.name


def _section(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"input={value!r:.60}: give the section as a dictionary")
    return value


def _judge(judge: Model | Mapping[str, object], output: str) -> JsonObject:
    if isinstance(judge, Mapping):
        return dict(judge)
    if isinstance(judge, str) and judge in KINDS:
        return {"kind": judge}
    kind = "cross_encoder"
    if not isinstance(judge, str | os.PathLike) and not is_cross_encoder(judge):
        kind = "bi_encoder"
    return {"kind": kind, "model": place_model(judge, output)}


@plainly
def audit(
    files: Request | str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    format: str | None = None,
    **options: object,
) -> "Audit":
    """What is wrong with negatives that somebody else mined; see `negmine audit`.

    Args:
        files: of negatives, or folders of them.
        format: theirs.
        options: as of the command: `corpus`, `queries`, `qrels`, `student`, `judge`, `settings`,
            `output`, `fix`, `fix_suspected`, `keep_short`, `hub_share`, `n_passages`,
            `label_above`.

    Raises ConfigError, DataError, StorageError.
    """
    with libraries_quiet():
        if isinstance(files, Request):
            return actions.audit(files)
        if format is None:
            raise ConfigError("audit needs the files' format, such as format='triplet'")
        known = [field.name for field in fields(Request)][2:]
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise ConfigError(
                f"audit has no option {', '.join(unknown)}; there are {', '.join(known)}"
            )
        named = [files] if isinstance(files, str | os.PathLike) else list(files)
        if options.get("fix") is not None:
            options["fix"] = Path(os.fspath(cast(str, options["fix"])))
        request: Callable[..., Request] = Request
        return actions.audit(request([os.fspath(f) for f in named], format, **options))
