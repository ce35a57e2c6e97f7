"""Refresh: mine a published run again with a new student, and say what drifted."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from negmine.jobs.mining.models import all_weights
from negmine.jobs.mining.publish import check_output, publish
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.vectors.cross_fit import digest_of_folds
from negmine.jobs.refresh.config import refresh_config
from negmine.jobs.refresh.drift import drift
from negmine.jobs.refresh.pinned import check_pinned, follows_student
from negmine.jobs.refresh.refreshed import write_refreshed
from negmine.jobs.refresh.request import Request
from negmine.jobs.runs.config_note import noted_config
from negmine.jobs.runs.published import Run, find_run
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.schemas.remarks import Remark


def refresh(parent: Run, request: Request, options: Sequence[str] = ()) -> Run:
    """Mine a run again with a new student and publish that; `options` are Beam's.

    Everything that does not depend on the student is reused from the parent's work directory.
    Raises what is wrong with request, input or models before any work, and then what the stages
    raise; all of it is a NegmineError.
    """
    config = refresh_config(parent, request)
    mining = MiningRun(config, options)
    run_id = check_output(mining)
    try:
        mining.check()
    except DataError as error:
        raise _misplaced(parent, error) from error
    if request.judge == "pinned" and not request.sets("judge"):
        check_pinned(parent, config)
    _check_new(parent, request, mining)
    _remark(parent, request, mining)
    mining.run_until("score")

    def beside(directory: Path, measured: pa.Table) -> JsonObject:
        try:
            write_refreshed(parent, directory, mining.collection)
            return {"parent": parent.run_id, "drift": drift(parent, directory, measured)}
        except duckdb.Error as error:
            line = str(error).strip().partition("\n")[0]
            raise StorageError(
                f"{parent.path} cannot be read: {line}. Check it with negmine doctor, or refresh "
                "another run"
            ) from error

    return find_run(str(publish(mining, run_id, beside)))


def _misplaced(parent: Run, error: DataError) -> DataError:
    if noted_config(parent) is not None:
        return error
    return DataError(
        f"{error}. The manifest of run {parent.run_id} has the last names of absolute paths only, "
        "and its work directory does not say where they were: name what moved with --set, as in "
        "--set input.path=FOLDER"
    )


def _check_new(parent: Run, request: Request, mining: MiningRun) -> None:
    """Raise ConfigError where the student has the parent's weights and nothing else is asked."""
    student = mining.config.student
    given = student.vectors is not None
    digests = [weights.digest for weights in all_weights(student)]
    several = digest_of_folds(digests) if student.models else "".join(digests)
    digest = mining.student.digest if given else several
    same = digest == (parent.manifest.get("models") or {}).get("student")
    others = [
        s
        for s in request.settings
        if not s.startswith(("student.vectors", "student.model", "output"))
    ]
    if same and not others and request.judge == "pinned":
        named = ", ".join(student.models) or student.model
        what = "these vectors are those" if given else f"{named} has the weights"
        raise ConfigError(
            f"{what} that run {parent.run_id} was mined with, so nothing would change; give a "
            "checkpoint that was trained further"
        )


def _remark(parent: Run, request: Request, mining: MiningRun) -> None:
    """Remark on what differs from the parent beside the student."""
    if mining.input_fingerprint != parent.manifest.get("inputs"):
        mining.remarks.add(
            Remark(
                code="collection_changed",
                serious=False,
                title=f"The collection is not as run {parent.run_id} found it",
                fact="What drifted may be the texts, not the student.",
                advice="Identifiers are taken to mean the same in both.",
            )
        )
    if request.judge == "pinned" and follows_student(mining.config):
        mining.remarks.add(
            Remark(
                code="judge_follows_student",
                serious=False,
                title="Judge fusion is pinned in its late interaction alone",
                fact="It adds BM25, late interaction and the student's similarity over a query's "
                "candidates; the similarity and the candidates are the new student's.",
                advice="late_interaction or a cross_encoder is the same judge in every round.",
            )
        )
