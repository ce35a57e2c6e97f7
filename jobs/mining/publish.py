"""Publishing a run: written under a temporary name, then renamed in one step.

In a store it is uploaded under its own name, the manifest last, see `jobs.mining.stored_run`.
"""

import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from negmine.jobs.mining.manifest import run_manifest
from negmine.jobs.mining.run import Miner
from negmine.jobs.mining.stored_run import StoredRun, taken
from negmine.jobs.report import write_report
from negmine.jobs.runner.pipeline import run_pipeline
from negmine.jobs.runner.progress import progress
from negmine.jobs.runs.published import MANIFEST, promote
from negmine.jobs.runs.trust import vouch
from negmine.schemas.errors import StorageError
from negmine.schemas.metrics import METRICS
from negmine.schemas.selection import Selection
from negmine.transforms import storage
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.datasets import write_json, write_part
from negmine.transforms.storage.digests import tree_digests
from negmine.transforms.storage.locks import RUNS_LOCK, sharing


def check_output(miner: Miner) -> str:
    """The run's id. Raises StorageError where it is taken or the folder cannot be written."""
    output = miner.config.output
    run_id = output.run_id or datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    runs = storage.local_path(output.path) / "runs"
    stored = storage.is_mirrored(runs)
    if storage.is_file(runs / run_id / MANIFEST) if stored else (runs / run_id).exists():
        raise taken(runs / run_id)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        probe = runs / f".{run_id}.probe"
        probe.touch()
        storage.put(probe)
        storage.remove(probe)
    except OSError as error:
        raise StorageError(
            f"cannot write to {runs}: {error.strerror}; choose another folder with --output DIR"
        ) from error
    return run_id


def publish(miner: Miner, run_id: str) -> Path:
    """Write and publish the run, and make it the current one; returns its folder.

    The metrics are measured while the parts are written, before them under `runner.memory`.
    Meanwhile `negmine gc` deletes no run. Raises StorageError, leaving nothing behind, where the
    disk refuses or the id was taken meanwhile.
    """
    with sharing(storage.local_path(miner.config.output.path) / RUNS_LOCK):
        return _publish(miner, run_id)


def _publish(miner: Miner, run_id: str) -> Path:
    from negmine.pipelines.publish import PublishTask, build
    from negmine.transforms.choosing.publish import QUERIES_PER_PART

    output = miner.config.output
    runs = storage.local_path(output.path) / "runs"
    stored = StoredRun(runs / run_id) if storage.is_mirrored(runs) else None
    staging = stored.staging if stored else runs / f".{run_id}.{os.getpid()}.tmp"
    sets, _ = miner.sets, miner.judge_checks
    blocks = tuple(plan_blocks(miner.rows("queries"), QUERIES_PER_PART))
    try:
        if stored:
            stored.begin()
        with miner.work.timed("publish", reused=False), progress("publish", None, ()):
            task = PublishTask(
                verdicts=miner.verdicts,
                sets=sets,
                collection=miner.collection,
                tiers=tuple(miner.config.tiers),
                texts=output.texts == "inline",
                promises=Selection.of(miner.config).promises,
                directory=str(stored.run if stored else staging),
                blocks=blocks,
            )
            with ThreadPoolExecutor(1) as beside:
                measuring = beside.submit(_metrics, miner)
                if miner.budget.limit is not None:
                    wait([measuring])
                run_pipeline(build, task, miner.options)
                if stored:
                    stored.copy_parts()
                measured = measuring.result()
            write_part(str(staging), "metrics.parquet", measured, METRICS, dictionary=True)
        manifest = run_manifest(miner, run_id, staging)
        write_json(staging / MANIFEST, manifest)
        write_report(staging)
        parts = tree_digests(staging)
        del parts[MANIFEST]
        write_json(staging / MANIFEST, {**manifest, "parts": parts})
        vouch(miner.work.root, storage.local_path(output.path))
        if stored:
            stored.end()
        else:
            os.rename(staging, runs / run_id)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise taken(runs / run_id) from error
        raise StorageError(
            f"cannot publish {runs / run_id}: {error.strerror}; nothing was published"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if stored:
            stored.close()
    try:
        promote(storage.local_path(output.path), run_id)
    except StorageError as error:
        raise StorageError(
            f"{error}. Run {run_id} is published whole, and `current` is as it was; put it in "
            f"force with: negmine runs promote {output.path} {run_id}"
        ) from error
    return runs / run_id


def _metrics(miner: Miner) -> pa.Table:
    """The run's metrics, see `schemas.metrics`."""
    from negmine.jobs.mining.retrieval import bm25_scorer
    from negmine.transforms.metrics.inputs import Inputs
    from negmine.transforms.metrics.measure import measure
    from negmine.transforms.metrics.verdicts import read_verdicts

    config = miner.config
    quotas = {name: tier.quota for name, tier in config.tiers.items()}
    negatives, candidates = read_verdicts(
        miner.verdicts, list(miner.candidates), quotas, miner.rows("queries")
    )
    return measure(
        Inputs(
            negatives=negatives,
            collection=miner.collection,
            bm25=bm25_scorer(miner),
            candidates=candidates,
            judged=miner.verdicts,
            selection=Selection.of(config),
            seed=config.seed,
            judge_auc={c.judge: (c.auc, c.low, c.high, c.queries) for c in miner.judge_checks},
        )
    )
