"""Publishing a run: written under a temporary name, then renamed in one step.

In a store it is uploaded under its own name, the manifest last, see `jobs.mining.stored_run`.
"""

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from negmine.jobs.mining.bm25 import bm25_scorer
from negmine.jobs.mining.edited import publish_edits
from negmine.jobs.mining.limits import Limits, within
from negmine.jobs.mining.manifest import run_manifest
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.stored_run import StoredRun, taken
from negmine.jobs.report import write_report
from negmine.jobs.runner.pipeline import run_pipeline
from negmine.jobs.runner.progress import progress
from negmine.jobs.runs.config_note import note_config
from negmine.jobs.runs.published import MANIFEST, Run, find_run, promote
from negmine.jobs.runs.trust import vouch
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import StorageError
from negmine.schemas.metrics import METRICS
from negmine.schemas.selection import Selection
from negmine.transforms import storage
from negmine.transforms.choosing.publish import QUERIES_PER_PART, PublishParts
from negmine.transforms.choosing.publish_lists import PublishedLists
from negmine.transforms.choosing.weigh import Weigher, read_weigher
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.datasets import write_part
from negmine.transforms.metrics.measure import measure_run
from negmine.transforms.pairs.confidence import PairConfidence
from negmine.transforms.storage.atomic import write_json
from negmine.transforms.storage.digests import tree_digests
from negmine.transforms.storage.locks import RUNS_LOCK, sharing
from negmine.transforms.workers import made_by_helper

Beside = Callable[[Path, pa.Table], JsonObject]
"""Writes further data sets into the folder of a run that has its parts; gives what is said of them
in the manifest. It is handed the run's metrics too."""


def mine(config: Config, options: Sequence[str] = (), limits: Limits | None = None) -> Run:
    """Mine a collection end to end and publish the run; `options` are Beam's.

    `limits`: what the judge's threshold is chosen to keep to. Raises what is wrong with output,
    input or models before any work, and then what the stages raise; all of it is a NegmineError.
    """
    mining = MiningRun(config, options)
    run_id = check_output(mining)
    mining.check()
    if limits:
        chosen = MiningRun(within(mining, limits), options)
        chosen.remarks = mining.remarks
        mining = chosen
    mining.run_until("score")
    return find_run(str(publish(mining, run_id)))


def check_output(mining: MiningRun) -> str:
    """The run's id. Raises StorageError where it is taken or the folder cannot be written."""
    output = mining.config.output
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


def publish(mining: MiningRun, run_id: str, beside: Beside | None = None) -> Path:
    """Write and publish the run, and make it the current one; returns its folder.

    `beside` writes what only some runs have. The metrics are measured while the parts are written,
    before them under `runner.memory`. Meanwhile `negmine gc` deletes no run. Raises StorageError,
    leaving nothing behind, where the disk refuses or the id was taken meanwhile.
    """
    with sharing(storage.local_path(mining.config.output.path) / RUNS_LOCK):
        return _publish(mining, run_id, beside)


def _publish(mining: MiningRun, run_id: str, beside: Beside | None) -> Path:
    output = mining.config.output
    runs = storage.local_path(output.path) / "runs"
    stored = StoredRun(runs / run_id) if storage.is_mirrored(runs) else None
    staging = stored.staging if stored else runs / f".{run_id}.{os.getpid()}.tmp"
    sets, _ = mining.sets, mining.judge_checks
    blocks = tuple(plan_blocks(mining.rows("queries"), QUERIES_PER_PART))
    try:
        if stored:
            stored.begin()
        with mining.work.timed("publish", reused=False), progress("publish"):
            weigher = _weigher(mining)
            parts = PublishParts(
                verdicts=mining.verdicts,
                sets=sets,
                collection=mining.collection,
                tiers=tuple(mining.config.tiers),
                texts=output.texts == "inline",
                promises=Selection.of(mining.config).promises,
                directory=str(stored.run if stored else staging),
                blocks=blocks,
                lists=_lists(mining),
                weigher=weigher,
                confidence=_confidence(mining),
            )
            with ThreadPoolExecutor(1) as meanwhile:
                measuring = meanwhile.submit(_metrics, mining, weigher)
                if mining.budget.limit is not None:
                    wait([measuring])
                counted = run_pipeline(
                    [[("publish", parts)]], mining.options, workers=mining.work.workers
                )
                mining.work.counters.update(counted)
                if mining.edits:
                    where, inline = Path(parts.directory), output.texts == "inline"
                    publish_edits(mining.edits, mining.collection, inline, where)
                measured = measuring.result()
                added = beside(Path(parts.directory), measured) if beside else {}
                if stored:
                    stored.copy_parts()
            write_part(str(staging), "metrics.parquet", measured, METRICS, dictionary=True)
        manifest = run_manifest(mining, run_id, staging, added)
        write_json(staging / MANIFEST, manifest)
        write_report(staging)
        digests = tree_digests(staging)
        del digests[MANIFEST]
        write_json(staging / MANIFEST, {**manifest, "parts": digests})
        vouch(mining.work.root, storage.local_path(output.path))
        note_config(mining.work.root, runs / run_id, mining.config.model_dump(mode="json"))
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


def _lists(mining: MiningRun) -> PublishedLists | None:
    """The run's teacher lists, if it has any."""
    listed, facts = mining.lists, mining.list_facts
    if listed is None or facts is None:
        return None
    texts = mining.config.output.texts == "inline"
    return PublishedLists(listed, facts.scale, mining.collection, texts)


def _weigher(mining: MiningRun) -> Weigher | None:
    """What weighs the run's negatives, if anything does."""
    weighting, queries = mining.config.weighting, mining.ingested["queries"]
    if weighting.method == "none":
        return None
    scorer, seed = bm25_scorer(mining), mining.config.seed
    return read_weigher(mining.verdicts, weighting, scorer, queries, seed)


def _confidence(mining: MiningRun) -> PairConfidence | None:
    """How far the given pairs are to be trusted, where that is asked for."""
    return PairConfidence.of(mining.collection) if mining.config.weighting.positives else None


def _metrics(mining: MiningRun, weigher: Weigher | None = None) -> pa.Table:
    """The run's metrics, see `schemas.metrics`."""
    config = mining.config
    quotas = {name: tier.quota for name, tier in config.tiers.items()}
    asked = (mining.verdicts, list(mining.candidates), quotas, mining.rows("queries"))
    around: JsonObject = {
        "collection": mining.collection,
        "bm25": bm25_scorer(mining),
        "judged": mining.verdicts,
        "selection": Selection.of(config),
        "seed": config.seed,
        "edits": mining.edits,
        "judge_auc": {c.judge: (c.auc, c.low, c.high, c.queries) for c in mining.judge_checks},
        "weigher": weigher,
    }
    measured: pa.Table = made_by_helper(measure_run, (asked, around))
    return measured
