"""Whole runs with input, work directory and output in a store, on machines that share it alone."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from negmine.jobs.mining.stored_run import StoredRun
from negmine.jobs.runner.options import resolve
from negmine.jobs.runs.published import find_run
from negmine.schemas.config import Runner
from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.storage.places import local_path
from tests.jobs.collections import (
    Ended,
    cross_encoder,
    digest,
    negmine,
    static_student,
    write_collection,
    write_config,
)
from tests.jobs.runner.job_service import job_service
from tests.transforms.storage.servers import SECRET, Proxy, Store, at_times, running, using

STUMBLES = {"fail": 3, "drop": 11, "throttle": 19}
PUBLISHED = ("negatives", "positives", "ledger", "sets")


@dataclass(frozen=True)
class Case:
    """A store with the collection, both models and the config in it, and the local run's bytes."""

    store: Store
    config: str
    expected: dict[str, dict[str, str]]

    def mine(self, run_id: str, *settings: str, output: str = "out") -> Ended:
        sets = [part for s in (f"output.run_id={run_id}", *settings) for part in ("--set", s)]
        return negmine("mine", self.config, "--output", f"{self.store.url}/{output}", *sets)

    def published(self, run_id: str, output: str = "out") -> dict[str, dict[str, str]]:
        run = storage.fetch_tree(local_path(f"{self.store.url}/{output}/runs/{run_id}"))
        return {name: digest(run, name) for name in PUBLISHED}


@pytest.fixture(scope="module", params=["s3", pytest.param("gs", marks=pytest.mark.long)])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    base = tmp_path_factory.mktemp("case")
    student, judge = static_student(base / "student"), cross_encoder(base / "judge")
    collection = write_collection(base / "c")
    sections = {"runner": {"block_size": 5}}
    local = write_config(
        base / "local.yaml",
        input={"format": "beir", "path": str(collection)},
        student={"model": str(student)},
        judge={"kind": "cross_encoder", "model": str(judge)},
        **sections,
    )
    ended = negmine("mine", local, "--output", str(base / "out"), "--set", "output.run_id=r")
    assert ended.code == 0, ended.err
    expected = {name: digest(base / "out" / "runs" / "r", name) for name in PUBLISHED}
    with running(request.param, base / "cache") as store:
        config = write_config(
            base / "stored.yaml",
            input={"format": "beir", "path": store.write_tree(collection, "in/c")},
            student={"model": store.write_tree(student, "in/student")},
            judge={"kind": "cross_encoder", "model": store.write_tree(judge, "in/judge")},
            **sections,
        )
        url = store.url + "/in/run.yaml"
        store.write("in/run.yaml", Path(config).read_bytes())
        store.forget_mirror()
        found = Case(store, url, expected)
        ended = found.mine("r")
        assert ended.code == 0, ended.err
        assert f"{store.url}/out/runs/r" in ended.out.replace("\n", "")
        assert "negmine-mirror" not in ended.out + ended.err
        yield found


def test_a_run_in_a_store_has_the_bytes_of_the_local_run(case: Case) -> None:
    assert case.published("r") == case.expected
    assert find_run(f"{case.store.url}/out").run_id == "r"


def test_the_store_holds_nothing_temporary_and_no_local_copies(case: Case) -> None:
    keys = [key.replace("work/.configs/", "") for key in case.store.keys("out")]
    odd = [key for key in keys if "_local" in key or "/." in f"/{key}"]
    assert odd == []


def test_another_machine_reuses_everything(case: Case) -> None:
    case.store.forget_mirror()
    ended = case.mine("again", "tiers.hard.quota=2")
    assert ended.code == 0, ended.err
    timings = find_run(f"{case.store.url}/out:again").manifest["timings"]
    made = {stage for stage, entry in timings.items() if not entry["reused"]}
    assert made <= {"judge", "select", "score", "publish"}
    assert {"ingest", "embed", "retrieve"} <= timings.keys()
    keys = case.store.keys("out/work/pair_scores")
    ended = case.mine("third", "tiers.hard.quota=2")
    timings = find_run(f"{case.store.url}/out:third").manifest["timings"]
    assert {s for s, entry in timings.items() if not entry["reused"]} == {"publish"}
    assert case.store.keys("out/work/pair_scores") == keys
    assert negmine("runs", "promote", f"{case.store.url}/out", "r").code == 0


def test_published_runs_are_read_from_the_store(case: Case, tmp_path: Path) -> None:
    case.store.forget_mirror()
    out = f"{case.store.url}/out"
    commands = {
        ("show", out): f"{out}/runs/r",
        ("runs", "list", out): "* r",
        ("query", f"{out}:r", "SELECT count(*) AS n FROM documents", "-f", "csv"): "60",
        ("query", out, "SELECT count(*) AS n FROM candidates", "-f", "csv"): "n",
        ("why", f"{out}/runs/r", "q0001"): "candidates by similarity",
        ("export", out, "-f", "n_tuple", "-o", f"{case.store.url}/x/t.parquet"): "x/t.parquet",
        ("export", out, "-f", "flagembedding"): f"{out}/exports/r-flagembedding.jsonl",
        ("export", out, "-f", "tevatron_v2", "-o", f"{case.store.url}/x/folder"): "x/folder",
        ("report", out, "-o", f"{case.store.url}/x/report.html"): "x/report.html",
        ("compare", out, f"{out}:r", "--html", f"{case.store.url}/x/c.html"): "",
        ("sweep", out, "--policy", "tiers.hard.quota=1,2"): "",
    }
    for command, word in commands.items():
        ended = negmine(*command)
        assert ended.code == (2 if command[0] == "compare" else 0), (command, ended.err)
        assert word in ended.out.replace("\n", "")
        assert "negmine-mirror" not in ended.out + ended.err
    assert {"report.html", "t.parquet", "t.parquet.export.json"} <= set(case.store.keys("x"))
    folder = {"corpus.jsonl", "train.jsonl", "export.json"}
    assert set(case.store.keys("x/folder")) == folder
    again = negmine("export", out, "-f", "tevatron_v2", "-o", f"{case.store.url}/x/folder")
    assert again.code == 0, again.err
    assert set(case.store.keys("x/folder")) == folder


def test_gc_refuses_a_store(case: Case) -> None:
    ended = negmine("gc", f"{case.store.url}/out")
    assert ended.code == 2
    assert "docs/object-stores.md" in ended.err


def test_doctor_tells_an_object_that_is_damaged_from_a_copy_that_is(case: Case) -> None:
    case.store.forget_mirror()
    out = f"{case.store.url}/out"
    for path in (out, f"{out}/work"):
        ended = negmine("doctor", path, "--deep")
        assert (ended.code, ended.out.splitlines()[-1]) == (0, "sound"), ended.out
    key = next(key for key in case.store.keys("out/work/embed") if "part-" in key)
    part = local_path(f"{out}/work/embed/{key}")
    whole = part.read_bytes()
    torn = whole[: len(whole) // 2] + bytes(9) + whole[len(whole) // 2 + 9 :]
    part.write_bytes(torn)
    assert negmine("doctor", out, "--deep").code == 0, "the object is whole"
    assert part.read_bytes() == whole
    case.store.write(f"out/work/embed/{key}", torn)
    ended = negmine("doctor", out, "--deep")
    assert ended.code == 5
    tool = {"s3": "aws s3 rm", "gs": "gcloud storage rm"}[case.store.scheme]
    assert f"{tool} {out}/work/embed/{key}\n" in ended.out
    assert "negmine-mirror" not in ended.out
    case.store.write(f"out/work/embed/{key}", whole)
    assert negmine("doctor", out, "--deep").code == 0
    assert negmine("doctor", f"{out}/no").code == 2


@pytest.mark.long
def test_a_run_that_lost_its_machine_goes_on_from_the_parts_in_the_store(
    case: Case, tmp_path: Path
) -> None:
    if case.store.scheme == "gs":
        pytest.skip("keys are in the bodies of its requests")
    seen: list[str] = []

    def answer(head: bytes) -> str:
        line = head.partition(b"\r\n")[0].decode()
        if line.startswith("PUT") and "/work/retrieve/" in line and "part-" in line:
            seen.append(line)
            return "pass" if len(seen) <= 2 else "forbid"
        return "pass"

    proxy = Proxy(case.store.port, answer)
    with using(case.store.elsewhere(tmp_path / "lost", proxy.own)):
        ended = case.mine("r", output="resumed")
    assert (ended.code, "Traceback" in ended.err) == (5, False)
    assert "refused access" in ended.err and f"{case.store.url}/resumed/work" in ended.err
    assert not storage.is_dir(local_path(f"{case.store.url}/resumed/runs/r"))
    kept = [line.split()[1] for line in seen[:2]]
    proxy.answer = lambda _: "pass"
    proxy.seen.clear()
    with using(case.store.elsewhere(tmp_path / "next", proxy.own)):
        ended = case.mine("r", output="resumed")
        assert ended.code == 0, ended.err
        assert case.published("r", "resumed") == case.expected
    proxy.close()
    written = [line for line in proxy.seen if line.startswith("PUT")]
    assert len(kept) == 2 and not any(key in line for key in kept for line in written)
    assert not any("/work/embed/" in line for line in written)


@pytest.mark.long
def test_a_store_that_stumbles_changes_nothing(case: Case, tmp_path: Path) -> None:
    if case.store.scheme == "gs":
        pytest.skip("its client waits seconds before it tries again")
    kinds = [at_times(kind, *range(first, 150, 47)) for kind, first in STUMBLES.items()]

    def answer(head: bytes) -> str:
        return next((kind for kind in [each(head) for each in kinds] if kind != "pass"), "pass")

    proxy = Proxy(case.store.port, answer)
    with using(case.store.elsewhere(tmp_path / "c", proxy.own)):
        ended = case.mine("r", output="stumbling")
    proxy.close()
    assert ended.code == 0, ended.err
    assert case.published("r", "stumbling") == case.expected


def test_a_run_is_published_whole_or_not_at_all(case: Case, tmp_path: Path) -> None:
    if case.store.scheme == "gs":
        pytest.skip("keys are in the bodies of its requests")
    refuse_manifest = at_times("forbid", *range(1, 99), only="/runs/torn/manifest.json HTTP")

    def answer(head: bytes) -> str:
        return refuse_manifest(head) if head.startswith(b"PUT") else "pass"

    proxy = Proxy(case.store.port, answer)
    with using(case.store.elsewhere(tmp_path / "c", proxy.own)):
        ended = case.mine("torn")
    proxy.close()
    assert ended.code == 5 and "refused access" in ended.err
    assert not [key for key in case.store.keys("out/runs") if "torn" in key]
    assert find_run(f"{case.store.url}/out").run_id == "r"
    assert case.mine("torn").code == 0
    assert case.published("torn") == case.expected


def test_a_name_is_published_once(case: Case) -> None:
    ended = case.mine("r")
    assert ended.code == 5 and "is there already" in ended.err
    run = local_path(f"{case.store.url}/out/runs/claimed")
    first, second = StoredRun(run), StoredRun(run)
    first.begin()
    with pytest.raises(StorageError, match="is being published by process"):
        second.begin()
    second.close()
    assert storage.is_file(first.claim)
    first.close()
    assert not storage.exists(first.claim)
    run = local_path(f"{case.store.url}/out/runs/stolen")
    first, second = StoredRun(run), StoredRun(run)
    first.begin()
    storage.remove(first.claim)
    second.begin()
    first.staging.mkdir(parents=True)
    (first.staging / "manifest.json").write_text("{}")
    with pytest.raises(StorageError, match="was claimed by process"):
        first.end()
    first.close()
    assert not storage.is_file(run / "manifest.json")
    second.close()


def test_no_secret_is_written_anywhere(case: Case, tmp_path: Path) -> None:
    proxy = Proxy(9, lambda _: "forbid")
    with using(case.store.elsewhere(tmp_path / "c", proxy.own)):
        told = negmine("show", f"{case.store.scheme}://bucket/out").err
    proxy.close()
    told += negmine("show", f"s3://key:{SECRET}@bucket/out").err
    assert told and SECRET not in told
    storage.fetch_tree(local_path(case.store.url))
    for file in case.store.cache.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_inputs_in_a_store_are_read_whatever_their_format(case: Case, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = {
        "documents": pa.table({"doc_id": ["a", "b", "c"], "text": ["sola tera", "aqua", "vena"]}),
        "queries": pa.table({"query_id": ["q"], "text": ["sola"]}),
        "qrels": pa.table({"query_id": ["q"], "doc_id": ["a"]}),
    }
    for name, table in tables.items():
        (tmp_path / name).mkdir()
        pq.write_table(table, tmp_path / name / f"{name}-0.parquet")
        case.store.write_tree(tmp_path / name, f"tables/{name}")
    labels = {"query_id": "q", "doc_id": "b", "decision": "positive"}
    case.store.write("tables/labels.jsonl", json.dumps(labels).encode())
    root = f"{case.store.url}/tables"
    config = write_config(
        tmp_path / "t.yaml",
        input={
            "format": "parquet",
            "documents": f"{root}/documents",
            "queries": f"{root}/queries/*.parquet",
            "qrels": f"{root}/qrels/qrels-0.parquet",
            "labels": f"{root}/labels.jsonl",
        },
        student={"model": f"{case.store.url}/in/student"},
        judge={"kind": "none"},
    )
    ended = negmine("mine", config, "--output", str(tmp_path / "out"))
    assert ended.code == 0, ended.err
    assert find_run(str(tmp_path / "out")).manifest["counts"]["positives"] == 2
    told = negmine(
        "mine", config, "--set", f"input.documents={root}/none", "--output", str(tmp_path)
    )
    assert (told.code, f"{root}/none does not exist" in told.err) == (3, True)


@pytest.mark.long
def test_workers_that_share_the_store_alone_give_the_same_bytes(case: Case, tmp_path: Path) -> None:
    if case.store.scheme == "gs":
        pytest.skip("once is enough: half a minute")
    variables = case.store.elsewhere(tmp_path / "workers")
    output = f"{case.store.url}/portable"
    small = ("output.run_id=r", "judge={kind: none}")
    chosen = [word for setting in small for word in ("--set", setting)]
    with job_service(tmp_path, variables) as options:
        arguments = resolve(Runner.model_validate({"name": "portable", "options": options}))
        ended = negmine("mine", case.config, "--output", output, *chosen, "--", *arguments)
    assert ended.code == 0, ended.err
    again = case.mine("r", *small[1:], output="by-itself")
    assert again.code == 0, again.err
    assert case.published("r", "portable") == case.published("r", "by-itself")
    assert (tmp_path / "workers" / "negmine-mirror").is_dir()
    shutil.rmtree(tmp_path / "workers")
