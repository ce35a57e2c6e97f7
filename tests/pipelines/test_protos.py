"""Every pipeline as a runner sees it: labels, payloads, hints, key coders, and picklable code."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2 as api

from negmine import pipelines
from negmine.jobs.runner.graph_rules import graph_faults
from negmine.pipelines.graph import GRAPH
from tests.pipelines.every_job import Job, every_job, jobs_of_other_sources, proto, stages_of

ROOT = Path(__file__).parents[2]
MEGABYTE = 1 << 20
HINTS = ("--model_min_ram=3GiB", "--model_accelerator=type:nvidia-l4;count:1")
HINTED = {"EmbedTexts", "JudgePairs", "ScorePositives", "ScoreSample"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("protos")


@pytest.fixture(scope="module")
def jobs(folder: Path) -> dict[str, Job]:
    return every_job(folder)


@pytest.fixture(scope="module")
def protos(jobs: dict[str, Job]) -> dict[str, api.Pipeline]:
    """Every pipeline as a runner sees it without options."""
    return {name: proto(job) for name, job in jobs.items()}


def transforms(pipeline: api.Pipeline) -> Iterator[api.PTransform]:
    yield from pipeline.components.transforms.values()


def test_every_stage_of_pipelines_is_looked_at(jobs: dict[str, Job]) -> None:
    classes = {
        line.removeprefix("class ").partition("(")[0]
        for file in Path(pipelines.__path__[0]).glob("*.py")
        for line in file.read_text().splitlines()
        if line.startswith("class ") and line.endswith("(beam.PTransform):")
    }
    assert len(classes) > 3
    assert classes <= {type(s).__name__ for job in jobs.values() for _, s in stages_of(job)}


def test_a_run_by_default_is_six_jobs(jobs: dict[str, Job]) -> None:
    """One for each job of the graph that is not optional, and one to publish."""
    usual = {stage.job for stage in GRAPH if not stage.optional} | {"publish"}
    assert len(usual) == 6
    optional = ("train index", "index dense", "calibrate", "recall of index", "place documents")
    assert len([name for name in jobs if not name.startswith(optional)]) == len(usual)


def test_labels_are_unique_and_the_same_each_time(
    jobs: dict[str, Job], protos: dict[str, api.Pipeline]
) -> None:
    for name, job in jobs.items():
        pipelines_of = (protos[name], proto(job))
        first, again = ([t.unique_name for t in transforms(made)] for made in pipelines_of)
        assert first == again
        assert len(set(first)) == len(first)


def test_labels_say_nothing_of_the_run(
    jobs: dict[str, Job], protos: dict[str, api.Pipeline]
) -> None:
    for name, job in jobs.items():
        folders = {getattr(stage, "directory", "/tmp") for _, stage in stages_of(job)}
        for transform in transforms(protos[name]):
            assert not [folder for folder in folders if folder in transform.unique_name]


def test_no_payload_is_over_a_megabyte(protos: dict[str, api.Pipeline]) -> None:
    for name, pipeline in protos.items():
        largest = max(len(t.spec.payload) for t in transforms(pipeline))
        assert 0 < largest < MEGABYTE, name


def hints(pipeline: api.Pipeline, transform: api.PTransform) -> dict[str, bytes]:
    return dict(pipeline.components.environments[transform.environment_id].resource_hints)


def test_steps_that_run_a_model_and_no_others_ask_for_its_hardware(
    jobs: dict[str, Job],
) -> None:
    wanted = {
        common_urns.resource_hints.MIN_RAM_BYTES.urn: str(3 << 30).encode(),
        common_urns.resource_hints.ACCELERATOR.urn: b"type:nvidia-l4;count:1",
    }
    seen = set()
    for job in jobs.values():
        pipeline = proto(job, *HINTS)
        for transform in transforms(pipeline):
            step = [*transform.unique_name.split("/"), ""][1]
            if transform.environment_id:
                assert hints(pipeline, transform) == (wanted if step in HINTED else {}), step
                seen.add(step)
    assert seen >= HINTED


def test_nothing_is_asked_for_by_default(protos: dict[str, api.Pipeline]) -> None:
    for pipeline in protos.values():
        assert not any(e.resource_hints for e in pipeline.components.environments.values())


def test_no_engine_finds_fault_with_a_graph(
    jobs: dict[str, Job], protos: dict[str, api.Pipeline]
) -> None:
    grouped = 0
    for name, pipeline in protos.items():
        assert graph_faults(pipeline) == [], name
        accelerated = proto(jobs[name], "--model_accelerator=type:nvidia-l4;count:1")
        assert graph_faults(accelerated) == [], name
        urns = [t.spec.urn for t in transforms(pipeline)]
        grouped += urns.count(common_urns.primitives.GROUP_BY_KEY.urn)
    assert grouped >= 3


WORKER = """
import json, sys
from pathlib import Path
from apache_beam.runners.worker import sdk_worker_main
from negmine.pipelines import loaded
before = set(sys.modules)
from apache_beam.internal import pickler
from apache_beam.portability import common_urns, python_urns
from apache_beam.portability.api import beam_runner_api_pb2 as api
seen = set()
for file in sorted(Path(sys.argv[1]).glob("*.pb")):
    pipeline = api.Pipeline.FromString(file.read_bytes())
    for transform in pipeline.components.transforms.values():
        if transform.spec.urn == common_urns.primitives.PAR_DO.urn:
            payload = api.ParDoPayload.FromString(transform.spec.payload)
            if payload.do_fn.urn == python_urns.PICKLED_DOFN_INFO:
                fn = pickler.loads(payload.do_fn.payload)[0]
                made = getattr(getattr(fn, "function", fn), "__self__", fn)
                for own in (made, getattr(made, "transform", made)):
                    seen.update(type(own).__mro__)
        if transform.spec.urn == common_urns.composites.COMBINE_PER_KEY.urn:
            payload = api.CombinePayload.FromString(transform.spec.payload)
            seen.add(type(pickler.loads(payload.combine_fn.payload)))
from negmine import transforms
print(json.dumps([sorted(set(sys.modules) - before), "torch" in sys.modules]))
print(json.dumps([transforms.__file__, sorted(f"{c.__module__}.{c.__name__}" for c in seen)]))
"""


def dotted(file: Path) -> str:
    """The import name of a module of the repository."""
    return ".".join(("negmine", *file.relative_to(ROOT).with_suffix("").parts))


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=environment or None
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_worker_has_loaded_all_but_torch_when_it_is_given_its_work(
    protos: dict[str, api.Pipeline], tmp_path: Path
) -> None:
    """Engines wait three minutes for a worker to take its first work, on however busy a machine."""
    for name, pipeline in protos.items():
        (tmp_path / f"{name}.pb").write_bytes(pipeline.SerializeToString())
    (tmp_path / "worker.py").write_text(WORKER)
    out = run(sys.executable, tmp_path / "worker.py", tmp_path, **os.environ)
    assert json.loads(out.splitlines()[-2]) == [[], False]


@pytest.mark.long
def test_a_worker_unpickles_every_dofn_from_the_installed_sdist(
    folder: Path, jobs: dict[str, Job], tmp_path: Path
) -> None:
    pytest.importorskip("build")
    pytest.importorskip("ensurepip")
    copy, venv = tmp_path / "source", tmp_path / "venv"
    for name in ("negmine", "schemas", "transforms", "pipelines", "jobs"):
        for file in (ROOT / name).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                target = copy / file.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "Makefile"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", tmp_path, copy)
    run(sys.executable, "-m", "venv", venv)
    site = str(Path(beam.__file__).parents[1])
    python = venv / "bin" / "python"
    sdist = next(tmp_path.glob("*.tar.gz"))
    arguments = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", sdist)
    run(python, "-m", "pip", "install", *arguments, PYTHONPATH=site)
    for name, job in {**jobs, **jobs_of_other_sources(folder)}.items():
        (tmp_path / f"{name}.pb").write_bytes(proto(job).SerializeToString())
    (tmp_path / "worker.py").write_text(WORKER)
    out = run(python, tmp_path / "worker.py", tmp_path, PYTHONPATH=site, PATH="/usr/bin:/bin")
    with tarfile.open(sdist) as archive:
        packed = {Path(name).name for name in archive.getnames() if "/jobs/templates/" in name}
    assert packed == {file.name for file in (ROOT / "jobs" / "templates").iterdir()}
    imported_from, seen = json.loads(out.splitlines()[-1])
    assert imported_from.startswith(str(venv))
    ours = {
        f"{dotted(file)}.{line.removeprefix('class ').partition('(')[0]}"
        for file in (ROOT / "transforms").rglob("*.py")
        for line in file.read_text().splitlines()
        if line.startswith("class ") and line.endswith(("(Step):", "(BlockTransform):"))
    }
    assert len(ours) > 10
    assert ours <= set(seen)
    assert "negmine.transforms.sources.search.MergeShards" in seen
