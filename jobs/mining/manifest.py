"""The manifest of a published run: what made it, what it holds, and how long it took."""

import os
import platform
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from negmine.jobs.mining.judging.agreement import known_difference
from negmine.jobs.mining.models import judge_students
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.summary import summarise
from negmine.jobs.mining.vectors.cross_fit import CrossFitStudent
from negmine.jobs.runner.processor import processor
from negmine.jobs.runs.config_note import shareable
from negmine.jobs.workdir.layout import pair_score_stores
from negmine.schemas import JsonObject
from negmine.schemas.config import Config, Student
from negmine.schemas.judges import CrossEncoder, EncoderJudge, ModelJudge
from negmine.schemas.manifest import MANIFEST_VERSION, Manifest
from negmine.schemas.tables import SCHEMA_VERSION
from negmine.transforms import storage, workers

_PACKAGES = (
    "negmine",
    "apache-beam",
    "pyarrow",
    "numpy",
    "scipy",
    "faiss-cpu",
    "torch",
    "transformers",
    "sentence-transformers",
    "duckdb",
)


def run_manifest(
    mining: MiningRun, run_id: str, staging: Path, added: JsonObject | None = None
) -> JsonObject:
    """The manifest as JSON values; no absolute paths and nothing from the environment.

    `added` are its keys that not every run has.
    """
    summary = summarise(mining, staging)
    config = mining.config
    found = {
        "manifest_version": MANIFEST_VERSION,
        "run_id": run_id,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "schema_version": SCHEMA_VERSION,
        "config": _shareable(mining),
        "tier_order": list(config.tiers),
        "seed": config.seed,
        "inputs": mining.input_fingerprint,
        "models": _models(mining),
        "precision": _precision(mining),
        "processor": _processor(mining),
        "judge": mining.judgement.key,
        "judge_checks": [check.as_json() for check in mining.judge_checks],
        "remarks": [remark.as_json() for remark in mining.remarks.all()],
        "policies": [policy.model_dump() for policy in mining.selection.policies],
        "artifacts": _artifacts(mining),
        "versions": _versions(openvino="openvino" in _other_backends(mining).values()),
        "counts": {
            key: summary[key]
            for key in ("documents", "queries", "positives", "dead_letters", "queries_short")
        },
        "timings": mining.work.timings,
        "counters": mining.work.counters,
        "peak_memory_bytes": peak_memory(),
        "summary": summary,
        **(added or {}),
    }
    Manifest.model_validate(found)
    return found


def peak_memory() -> int:
    """Highest resident memory of this process, and of its helpers or its largest child, bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = unit * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return unit * own + max(child, workers.peak_memory())


def _shareable(mining: MiningRun) -> JsonObject:
    """The resolved config with absolute paths cut to their last name."""
    config = shareable(mining.config.model_dump(mode="json"))
    root, output = mining.work.root, storage.local_path(mining.config.output.path)
    workdir = os.path.relpath(root.resolve(), output.resolve())
    if storage.is_mirrored(root) and not storage.is_mirrored(output):
        workdir = str(storage.url_of(root))
    config["output"] = {**config["output"], "path": ".", "workdir": workdir}
    return dict(config)


def _precision(mining: MiningRun) -> JsonObject:
    """What the models ran in, and the dtype of the student's parameters when it embedded.

    Models are loaded in the precision named here, and refused where they are not in it.
    """
    found = {
        "student": mining.student.precision,
        "lowest_cosine_with_fp32": mining.student.agreement,
    }
    dtype = mining.document_vectors.manifest().get("dtype")
    for name, encoder in judge_models(mining.config):
        found[name] = "fp32" if encoder is None else mining.encoder(encoder, "judge").precision
    found |= _other_backends(mining)
    return {**found, **({"student_dtype": dtype} if dtype else {})}


def _other_backends(mining: MiningRun) -> JsonObject:
    """Backends by role, precision and agreement of cross-encoders, that are not torch in fp32."""
    found: JsonObject = {}
    config = mining.config
    if config.student.backend != "torch" and not config.student.vectors:
        found["student_backend"] = config.student.backend
    judges = [judge for judge in config.judge.flat() if isinstance(judge, ModelJudge)]
    for number, judge in enumerate(judges, 1):
        name = f"judge_{number}" if len(judges) > 1 else "judge"
        rounded = isinstance(judge, CrossEncoder) and judge.precision != "fp32"
        if judge.backend != "torch" or rounded:
            found[f"{name}_backend"] = judge.backend
            if isinstance(judge, CrossEncoder):
                found[name] = judge.precision
                difference = known_difference(mining, judge)
                found[f"{name}_largest_difference_from_fp32"] = difference
    return found


def judge_models(config: Config) -> list[tuple[str, Student | None]]:
    """Models that judge, by their names in a manifest, with their settings where encoders.

    `judge`, or `judge_1` and so on where there are several judges; one with a model a fold has
    `_fold_1` and so on behind it.
    """
    judges = [judge for judge in config.judge.flat() if isinstance(judge, ModelJudge)]
    found: list[tuple[str, Student | None]] = []
    for number, judge in enumerate(judges, 1):
        name = f"judge_{number}" if len(judges) > 1 else "judge"
        if not isinstance(judge, EncoderJudge):
            found.append((name, None))
            continue
        encoders = judge_students(judge, config.student)
        names = [f"{name}_fold_{fold}" for fold in range(1, len(encoders) + 1)]
        found += zip(names if len(encoders) > 1 else [name], encoders, strict=True)
    return found


def _processor(mining: MiningRun) -> JsonObject:
    """The kind of processor of this process, and of the one that embedded."""
    embedded = mining.document_vectors.manifest().get("processor")
    return {**processor(), **({"embed": embedded} if embedded else {})}


def _models(mining: MiningRun) -> dict[str, str]:
    """SHA-256 of the student's weights, or given vectors, and of every model that judges."""
    models = {"student": mining.student.digest}
    if isinstance(mining.student, CrossFitStudent):
        folds = enumerate(mining.student.folds, 1)
        models |= {f"student_fold_{number}": encoder.digest for number, encoder in folds}
    weights = _cross_encoders(mining.judgement.key)
    for name, encoder in judge_models(mining.config):
        digest = next(weights) if encoder is None else mining.encoder(encoder, "judge").digest
        if digest != models["student"] or encoder is None:
            models[name] = digest
    return models


def _artifacts(mining: MiningRun) -> dict[str, str]:
    """Every artifact that the run was made from, by name, relative to the work directory.

    Those that have no name of their own are called by their stage, with a number from the second.
    """
    datasets = {
        **mining.texts,
        **({"edits": mining.edits} if mining.edits else {}),
        "document_vectors": mining.document_vectors,
        "query_vectors": mining.query_vectors,
        **{f"candidates_{name}": dataset for name, dataset in mining.candidates.items()},
        "judged": mining.judged,
        "verdicts": mining.verdicts,
        **({"lists": mining.lists} if mining.lists else {}),
    }
    root = mining.work.root
    named = {name: dataset.directory for name, dataset in datasets.items()}
    known = {directory for path in named.values() for directory in (path, path.parent)}
    stores = [root / store for store in pair_score_stores(mining.judgement.key)]
    for directory in (*mining.work.used, *stores):
        if directory not in known and storage.is_dir(directory):
            stage = directory.parent.name
            number = sum(name.rpartition("_")[0] == stage or name == stage for name in named) + 1
            named[stage if number == 1 else f"{stage}_{number}"] = directory
            known.add(directory)
    return {name: str(directory.relative_to(root)) for name, directory in named.items()}


def _cross_encoders(judge: JsonObject) -> Iterator[str]:
    """SHA-256 of the weights of the cross-encoders of a judge's key, in order."""
    if judge.get("kind") == "cross_encoder":
        yield str(judge["weights"])
    for part in filter(None, (*judge.get("judges", ()), judge.get("fallback"))):
        yield from _cross_encoders(part)


def _versions(openvino: bool = False) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in (*_PACKAGES, *(["openvino"] if openvino else [])):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
