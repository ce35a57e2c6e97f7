"""`negmine relabel`: suspected positives out for review, decisions in as labels of the next run."""

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import yaml

from negmine.jobs.runs.label_lines import Pair, read_decisions, read_labels, refuse, write_lines
from negmine.jobs.runs.published import Run
from negmine.jobs.runs.query import Database
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, StorageError
from negmine.schemas.locations import shown
from negmine.schemas.sources import MADE
from negmine.transforms import storage
from negmine.transforms.data.sql import connect, partitioned_sql
from negmine.transforms.readers.labels import ANSWERS, NEGATIVE, POSITIVE
from negmine.transforms.storage.locks import writing
from negmine.transforms.storage.targets import target

LABELS = "labels.jsonl"
_ENDINGS = (".jsonl",)

_MADE = str([str(source) for source in MADE])
_SUSPECTS = f"""
SELECT l.query_id, q.text AS query, l.doc_id, d.text AS document, s.positive_id,
    p.text AS positive, l.judge_score, l.positive_judge_score, l.dense_score
FROM ledger l
JOIN sets s USING (query_id)
JOIN queries q USING (query_id)
JOIN documents d USING (doc_id)
JOIN documents p ON p.doc_id = s.positive_id
WHERE l.verdict = 'suspected_positive' AND NOT list_has_any(l.sources, {_MADE})
ORDER BY l.judge_score - l.positive_judge_score DESC, l.query_id, l.doc_id
"""
_MISPLACED = f"""
SELECT d.line, d.query_id, d.doc_id, l.query_id IS NULL AS unknown,
    coalesce(list_has_any(l.sources, {_MADE}), false) AS made
FROM decisions d LEFT JOIN ledger l USING (query_id, doc_id)
WHERE l.query_id IS NULL OR made OR (l.is_positive AND NOT d.positive AND NOT d.as_before)
ORDER BY d.line
"""
_OF_AN_EDIT = (
    "made by sources.edited and no document of the corpus, so no label can name it. Where it is "
    "true, put its text (column text of the run's data set edits) into the input as a positive of "
    "the query: no edit is made that has the text of a document. Or leave its operation out of "
    "sources.edited.operations, or out of the decisions this line"
)


@dataclass(frozen=True)
class Relabelled:
    """What decisions came to; the labels file, and pairs that were new, replaced or as before."""

    labels: Path
    total: int
    positives: int
    answers: int
    negatives: int
    undecided: int
    new: int
    replaced: int
    unchanged: int


def write_review(run: Run, file: Path, limit: int | None = None, force: bool = False) -> int:
    """Write the run's suspected positives for a reviewer, most suspicious first; returns how many.

    Texts made by edits are left out: no label can name them.

    One JSON line each: query_id, query, doc_id, document, positive_id, positive (the one served),
    judge_score, positive_judge_score, dense_score, and `"decision": null` to be filled in.

    Raises ConfigError where the file cannot be one (see `transforms.storage.targets`), is there and
    `force` is not set, or the run sets none aside, StorageError where its texts are gone or the
    disk refuses.
    """
    file = target(file, "--review", _ENDINGS, outputs=run.kept)
    _refuse_to_replace(file, force)
    policies = run.manifest.get("policies") or run.manifest.get("config", {}).get("policies") or []
    if not any("suspected_positive" in policy for policy in policies):
        raise ConfigError(
            f"run {run.run_id} has no policy suspected_positive, so it set no candidate aside; "
            "add the policy and mine again"
        )
    with Database(run) as database:
        for name in ("documents", "queries"):
            if name in database.absent:
                raise StorageError(
                    f"the texts cannot be shown: {database.absent[name]}. Mine again to make it"
                )
        answer = database.ask(_SUSPECTS if limit is None else f"{_SUSPECTS} LIMIT {limit}")
        named = (dict(zip(answer.columns, row, strict=True)) for row in answer.rows)
        with writing(file):
            _refuse_to_replace(file, force)
            return write_lines(file, ({**_decimal(row), "decision": None} for row in named))


def _refuse_to_replace(file: Path, force: bool) -> None:
    if storage.exists(file) and not force:
        raise ConfigError(
            f"{file} is there already and may hold decisions; name another file, or give --force"
        )


def _decimal(row: JsonObject) -> JsonObject:
    """float32 scores as the shortest decimals that mean them."""
    return {k: float(str(np.float32(v))) if isinstance(v, float) else v for k, v in row.items()}


def relabel(run: Run, decisions: Path, labels: Path | None = None) -> Relabelled:
    """Put a reviewer's decisions on pairs of a run into a labels file, for `input.labels`.

    The file gets one line a pair, sorted by query and document: query_id, doc_id, decision, and
    the id of the run that it was decided on. Pairs that it has already stay as they are, and are
    replaced where they are decided otherwise. Who writes the same file meanwhile waits.

    Args:
        run: whose candidates were reviewed.
        decisions: JSON lines as of `write_review`; lines without a decision are left out.
        labels: the file to write or extend; `labels.jsonl` beside the run's `runs/` by default.

    Raises:
        DataError: naming lines that are no decisions, contradict each other, name a pair that is
            not in the run's ledger, are about a text made by an edit, which no later run knows by
            its identifier, or call a known positive a negative. Nothing is written.
        ConfigError: `labels` is the file of decisions, or cannot be a file.
        StorageError: the disk refuses.
    """
    own = run.output / LABELS
    labels = target(labels or own, "--output", _ENDINGS, outputs=run.kept, allowed=(own,))
    decisions = storage.local_path(decisions)
    if _same(labels, decisions):
        raise ConfigError(f"{labels} holds the decisions; name another file with --output")
    decided, undecided = read_decisions(decisions)
    with writing(labels):
        return _merged(run, decisions, labels, decided, undecided)


def _merged(
    run: Run, decisions: Path, labels: Path, decided: dict[Pair, tuple[int, str]], undecided: int
) -> Relabelled:
    """Read the labels, put the decisions among them and write them, while nobody else does."""
    known = read_labels(labels)
    _refuse_misplaced(run, decisions, decided, known)
    made = {pair: known.get(pair, {}).get("decision") for pair in decided}
    for pair, (_, decision) in decided.items():
        if made[pair] != decision:
            query_id, doc_id = pair
            known[pair] = {
                "query_id": query_id,
                "doc_id": doc_id,
                "decision": decision,
                "run_id": run.run_id,
            }
    new = sum(before is None for before in made.values())
    unchanged = sum(before == decided[pair][1] for pair, before in made.items())
    counts = Counter(decision for _, decision in decided.values())
    return Relabelled(
        labels=labels,
        total=write_lines(labels, (known[pair] for pair in sorted(known))),
        positives=counts[POSITIVE],
        answers=counts[ANSWERS],
        negatives=counts[NEGATIVE],
        undecided=undecided,
        new=new,
        replaced=len(decided) - new - unchanged,
        unchanged=unchanged,
    )


def _same(one: Path, other: Path) -> bool:
    if storage.is_mirrored(one) or storage.is_mirrored(other):
        return one == other
    return one.exists() and other.exists() and one.samefile(other)


def _refuse_misplaced(
    run: Run,
    file: Path,
    decided: dict[Pair, tuple[int, str]],
    known: dict[Pair, JsonObject],
) -> None:
    """Hold the decisions to the run's ledger."""
    table = pa.table(
        {
            "line": pa.array([line for line, _ in decided.values()], pa.int64()),
            "query_id": pa.array([query_id for query_id, _ in decided], pa.string()),
            "doc_id": pa.array([doc_id for _, doc_id in decided], pa.string()),
            "positive": pa.array([d == POSITIVE for _, d in decided.values()], pa.bool_()),
            "as_before": pa.array(
                [known.get(pair, {}).get("decision") == d for pair, (_, d) in decided.items()],
                pa.bool_(),
            ),
        }
    )
    try:
        with connect(memory=None) as database:
            database.register("decisions", table)
            database.execute(
                f"CREATE VIEW ledger AS {partitioned_sql(run.path / 'ledger', 'verdict')}"
            )
            rows = database.execute(_MISPLACED).fetchall()
    except duckdb.Error as error:
        raise StorageError(
            f"{run.path} cannot be read: {str(error).splitlines()[0]}. Mine the run again"
        ) from error
    problems = []
    for line, query_id, doc_id, unknown, made in rows:
        if unknown:
            why = f"no candidate of run {run.run_id}"
        elif made:
            why = _OF_AN_EDIT
        else:
            why = f"a known positive, no {decided[query_id, doc_id][1]}"
        label = known.get((query_id, doc_id), {})
        if not unknown and label.get("decision") in (POSITIVE, ANSWERS):
            why += f"; to take back the label that made it one, relabel run {label.get('run_id')}"
        problems.append((line, f"document {doc_id!r} is {why}, for query {query_id!r}"))
    refuse(file, problems)


def shown_path(path: Path) -> str:
    """A path as it would be written in a config: relative to here where it lies below."""
    here = Path.cwd()
    return shown(str(path.relative_to(here) if path.is_relative_to(here) else path))


def told(found: Relabelled) -> str:
    """The counts, and what the config of the next run has to say."""
    path = shown_path(found.labels)
    section = yaml.safe_dump({"input": {"labels": path}}, allow_unicode=True, width=10_000)
    return (
        f"{found.positives:,} positive, "
        f"{f'{found.answers:,} that answer too, ' if found.answers else ''}"
        f"{found.negatives:,} negative, "
        f"{found.undecided:,} undecided and left out\n"
        f"{path}: {found.total:,} labels ({found.new:,} new, {found.replaced:,} replaced, "
        f"{found.unchanged:,} as before)\n"
        f"Put this into the config of the next run:\n{section}"
        f"or give mine: --set {shlex.quote(f'input.labels={path}')}"
    )
