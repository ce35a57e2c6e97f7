"""The parts of a cluster: held to digests, merged to one jar, asked what they did."""

import re
import zipfile
from pathlib import Path

import pytest

from benchmarks.cluster import prism, spark
from benchmarks.cluster.downloads import LOCKS, JobServer, job_server_jar, merge
from benchmarks.cluster.engines import engine
from benchmarks.cluster.processes import Cluster, Job
from benchmarks.cluster.versions import VERSIONS

SERVERS = {name: v.server for name, v in VERSIONS.items() if v.server}
TASK = '{"Event":"SparkListenerTaskEnd","Task Info":{"Executor ID":"%s"}}\n'


def write_jar(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as jar:
        for name, text in files.items():
            jar.writestr(name, text)
    return path


@pytest.mark.parametrize("name", VERSIONS)
def test_every_version_has_a_digest_and_an_engine(name: str) -> None:
    version = VERSIONS[name]
    assert re.fullmatch(r"[0-9a-f]{64}|h1:[A-Za-z0-9+/]{43}=", version.digest)
    assert engine(name).up.__defaults__ is not None
    assert Cluster.planned(name, ("jobs",)).version == version.number


@pytest.mark.parametrize("name", SERVERS)
def test_every_jar_of_a_job_server_has_a_digest(name: str) -> None:
    server = SERVERS[name]
    lines = (LOCKS / f"{server.name}.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{64}  [\w.-]+\.jar", line) for line in lines)
    jars = {line.split()[1] for line in lines}
    assert f"{server.artifact}-{server.version}.jar" in jars
    assert {f"{artifact}-{number}.jar" for _, artifact, number in server.libraries} <= jars


def test_a_job_server_is_of_the_engine_that_it_sends_jobs_to() -> None:
    number = VERSIONS["flink-1.20"].number
    flink = {
        line.split()[1]
        for line in (LOCKS / f"{SERVERS['flink-1.20'].name}.txt").read_text().splitlines()
        if re.search(r"  flink-(?!shaded)", line)
    }
    assert flink and all(jar.endswith(f"-{number}.jar") for jar in flink)


def test_one_jar_has_the_first_of_each_file_and_all_lists_of_services(tmp_path: Path) -> None:
    service = "META-INF/services/a.Service"
    one = {"a/A.class": "first", service: "a.One", "META-INF/X.SF": "signature"}
    two = {"a/A.class": "second", "b/B.class": "b", service: "a.Two", "module-info.class": ""}
    jars = [write_jar(tmp_path / "1.jar", one), write_jar(tmp_path / "2.jar", two)]
    merge(jars, tmp_path / "all.jar", "a.Main")
    with zipfile.ZipFile(tmp_path / "all.jar") as merged:
        found = {name: merged.read(name).decode() for name in merged.namelist()}
    assert found.pop("META-INF/MANIFEST.MF").splitlines()[1] == "Main-Class: a.Main"
    assert found == {"a/A.class": "first", "b/B.class": "b", service: "a.One\na.Two"}


def test_what_was_downloaded_once_is_taken(tmp_path: Path) -> None:
    server = JobServer("artifact", "1", "a.Main", on="on-b-2")
    jar = write_jar(tmp_path / "artifact-1-on-b-2-with-dependencies.jar", {})
    assert job_server_jar(server, tmp_path) == jar


def test_prism_says_which_jobs_ended(tmp_path: Path) -> None:
    lines = ["not JSON", '{"msg":"[SDK] hello"}', '{"msg":"pipeline done!","job":"job-001[j]"}']
    (tmp_path / "prism.log").write_text("\n".join(lines))
    cluster = Cluster.planned("prism", ("jobs",))
    assert prism.done(cluster, tmp_path) == [Job("job-001[j]", None, {})]


def test_tasks_of_spark_count_for_the_worker_whose_folder_the_executor_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for worker, executor in (("worker_1", "0"), ("worker_2", "1")):
        (tmp_path / "work" / worker / "app-1" / executor).mkdir(parents=True)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "app-1").write_text(TASK % "0" + TASK % "1" + TASK % "1")
    ended = [{"id": "app-1", "starttime": 5, "duration": 1500}]
    monkeypatch.setattr(spark, "rest", lambda cluster: {"completedapps": ended})
    cluster = Cluster.planned("spark-3.5", ("rest",))
    assert spark.done(cluster, tmp_path) == [Job("app-1", 1.5, {"worker_1": 1, "worker_2": 2})]
