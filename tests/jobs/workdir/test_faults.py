"""Files damaged under a run: named or made anew, and the same bytes after what is said."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import (
    digest,
    leftovers,
    negmine,
    published,
    static_student,
    write_collection,
    write_config,
)
from tests.jobs.workdir.workdirs import artifact, copied, mine, settings

ROOT = Path(__file__).parents[3]
AFTER = ("embed", "bm25_index", "retrieve", "judge", "select", "score")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output with the published run `one`; the config is `one.yaml` beside it."""
    base = tmp_path_factory.mktemp("faults")
    write_collection(base / "collection")
    static_student(base / "student")
    config = write_config(base / "one.yaml", **settings(base, judge={"kind": "none"}))
    mine(config, base / "out", "one")
    return base / "out"


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    return copied(made, tmp_path / "out")


def forget(output: Path, first: str) -> None:
    """Remove a stage's artifacts and those of later stages, and all mapped copies."""
    for stage in AFTER[AFTER.index(first) :] if first in AFTER else ():
        shutil.rmtree(output / "work" / stage)
    for copies in list((output / "work").rglob("_local")):
        shutil.rmtree(copies)


def again(made: Path, output: Path, command: str = "mine") -> tuple[int, str]:
    """Run a stage once more, or mine the run `again`; its exit code and the message."""
    config = str(made.parent / "one.yaml")
    ended = negmine(command, config, "--output", str(output), "--set", "output.run_id=again")
    assert "Traceback" not in ended.err, ended.err
    return ended.code, ended.err


def parts(output: Path) -> dict[str, bytes]:
    """The parts of every artifact, by their path in the work directory."""
    files = (output / "work").rglob("part-*.parquet")
    return {str(file.relative_to(output / "work")): file.read_bytes() for file in files}


def is_as_before(made: Path, output: Path, command: str = "mine") -> None:
    """The command makes what is missing, up to its stage or the run, with the same bytes."""
    code, message = again(made, output, command)
    assert code == 0, message
    found, expected = parts(output), parts(made)
    assert found.items() <= expected.items()
    stages = AFTER if command == "mine" else (command,)
    assert found.keys() >= {name for name in expected if name.split("/")[0] in stages}
    if command == "mine":
        for name in ("negatives", "ledger", "sets"):
            assert digest(output / "runs" / "again", name) == digest(made / "runs" / "one", name)
    assert leftovers(output) == []


def is_refused(made: Path, output: Path, file: Path, command: str = "mine") -> None:
    """One message that names the file and what to remove; that done, all is as before."""
    before = published(output)
    code, message = again(made, output, command)
    assert code == 5, message
    assert message.startswith(f"error: {file} "), message
    assert message.count("\n") == 1
    assert published(output) == before
    (removed,) = re.findall(r"remove (?:the directory|(\S+)) and run again", message)
    shutil.rmtree(removed or file.parent)
    is_as_before(made, output, command)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    """Turn one bit in a page of every column."""
    content = bytearray(file.read_bytes())
    group = pq.read_metadata(file).row_group(0)
    for column in (group.column(i) for i in range(group.num_columns)):
        start = column.dictionary_page_offset or column.data_page_offset
        content[start + column.total_compressed_size - 1] ^= 0x10
    file.write_bytes(bytes(content))


PARTS = {
    "documents": ("documents", "embed"),
    "queries": ("queries", "embed"),
    "positives": ("positives", "judge"),
    "document_vectors": ("document_vectors", "retrieve"),
    "query_vectors": ("query_vectors", "retrieve"),
    "postings": ("bm25_index/postings", "retrieve"),
    "lengths": ("bm25_index/lengths", "retrieve"),
    "statistics": ("bm25_index/statistics", "retrieve"),
    "candidates": ("candidates_dense", "judge"),
    "judged": ("judged", "select"),
    "verdicts": ("verdicts", "score"),
    "published verdicts": ("verdicts", "mine"),
}
"""What is damaged, and the first command that reads it."""


def folder(output: Path, place: str) -> Path:
    name, _, below = place.partition("/")
    return artifact(output, name, "one") / below


LONG = pytest.mark.long
ALIKE = ("queries", "query_vectors", "lengths", "statistics")
"""Read as another of `PARTS` is."""
DAMAGES = [
    *(pytest.param(name, flip, marks=LONG if name in ALIKE else []) for name in PARTS),
    *(
        pytest.param(name, truncate, marks=LONG)
        for name in ("documents", "document_vectors", "postings")
    ),
    ("judged", truncate),
    ("candidates", empty),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_a_damaged_part_is_named_and_removing_what_is_said_heals(
    made: Path, output: Path, name: str, damage: Callable[[Path], None]
) -> None:
    place, command = PARTS[name]
    forget(output, command)
    file = sorted(folder(output, place).glob("part-*"))[0]
    damage(file)
    is_refused(made, output, file, command)


MANIFESTS = [
    ("documents", "", "ingest"),
    ("document_vectors", '{"fingerprint": "', "embed"),
    ("candidates_bm25", "{}", "retrieve"),
    ("judged", "[]", "mine"),
]


@pytest.mark.parametrize(("place", "content", "command"), MANIFESTS)
def test_a_manifest_that_is_empty_or_cut(
    made: Path, output: Path, place: str, content: str, command: str
) -> None:
    file = folder(output, place) / "_manifest.json"
    forget(output, "select")
    file.write_text(content)
    is_refused(made, output, file, command)


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_a_plan_of_an_unfinished_stage_that_is_empty_or_cut(
    made: Path, output: Path, content: str
) -> None:
    judged = folder(output, "judged")
    (judged / "_manifest.json").unlink()
    (judged / "_plan.json").write_text(content)
    is_refused(made, output, judged / "_plan.json", "judge")


def test_counts_of_ingest_that_are_cut(made: Path, output: Path) -> None:
    file = folder(output, "documents").parent / "counts.json"
    file.write_text('{"rows": ')
    is_refused(made, output, file, "mine")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


COPIES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "texts": ("documents/_local/text/values", cut),
    "offsets of texts": ("documents/_local/text/offsets", cut),
    "no texts": ("documents/_local/text/values", Path.unlink),
    "no layout": ("queries/_local/text/layout", Path.unlink),
    "empty layout": ("queries/_local/text/layout", empty),
    "vectors": ("document_vectors/_local/vector/values", cut),
    "a byte of vectors": ("document_vectors/_local/vector/values", truncate),
    "lengths": ("bm25_index/lengths/_local/length/values", cut),
    "term numbers": ("bm25_index/postings/_local/numbers", cut),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=LONG if name in ("no layout", "a byte of vectors") else [])
        for name in COPIES
    ],
)
def test_a_mapped_copy_of_another_length_is_made_anew(made: Path, output: Path, name: str) -> None:
    """Publishing reads the texts, retrieval the rest."""
    place, damage = COPIES[name]
    command = "mine" if "/text/" in place else "retrieve"
    if command == "retrieve":
        shutil.rmtree(output / "work" / "retrieve")
    file = folder(output, place)
    size = file.stat().st_size
    damage(file)
    is_as_before(made, output, command)
    assert file.stat().st_size == size


@pytest.fixture(scope="module")
def indexed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Candidates of a collection that an index is made for; the config is `one.yaml` beside it."""
    base = tmp_path_factory.mktemp("indexed")
    collection = write_collection(base / "collection", 2200, 12)
    sections = settings(made.parent, judge={"kind": "none"})
    sections |= {
        "input": {"format": "beir", "path": str(collection)},
        "sources": {
            "bm25": None,
            "dense": {"index": "ivf", "shards": 2, "min_recall": 0, "depth": 20},
        },
        "runner": {"block_size": 512},
    }
    config = write_config(base / "one.yaml", **sections)
    assert negmine("retrieve", config, "--output", str(base / "out")).code == 0
    return base / "out"


@pytest.mark.parametrize("damage", [truncate, pytest.param(empty, marks=LONG), Path.unlink])
def test_a_damaged_shard_of_a_faiss_index(
    indexed: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    output = copied(indexed, tmp_path / "out")
    shutil.rmtree(output / "work" / "retrieve")
    shards = sorted((output / "work" / "index").glob("*/*.faiss"))
    file = next(path for path in shards if path.name.startswith("shard"))
    damage(file)
    code, message = again(indexed, output, "retrieve")
    assert code == 5, message
    assert str(file) in message and f"remove {file.parent} and run again" in message
    shutil.rmtree(file.parent)
    is_as_before(indexed, output, "retrieve")


def test_a_clock_that_went_back(made: Path, output: Path) -> None:
    """Everything on disk is of the year after next: it is used, and nothing is taken for old."""
    forget(output, "judge")
    ahead = 2 * 365 * 86_400
    for path in (output / "work").rglob("*"):
        stat = path.stat()
        os.utime(path, (stat.st_atime + ahead, stat.st_mtime + ahead))
    kept = {p: p.stat().st_mtime_ns for p in (output / "work").rglob("part-*")}
    assert negmine("gc", str(output), "--delete").code == 0
    is_as_before(made, output)
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


def test_a_current_that_names_no_run(made: Path, output: Path) -> None:
    (output / "current").write_text("gone\n")
    ended = negmine("show", str(output))
    assert ended.code == 2
    assert ended.err.startswith("error: no run 'gone' in ")
    assert "it has one" in ended.err
    is_as_before(made, output)
    assert (output / "current").read_text() == "again\n"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command here")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


@pytest.mark.parametrize(
    "stage",
    [
        None,
        "judge",
        *(pytest.param(s, marks=LONG) for s in ("ingest", "embed", "score")),
    ],
)
def test_a_read_only_work_directory(
    made: Path, tmp_path: Path, disk: Path, stage: str | None
) -> None:
    config = str(made.parent / "one.yaml")
    words = (config, "--output", str(tmp_path / "out"), "--set", f"output.workdir={disk / 'work'}")
    if stage is not None:
        assert negmine(stage, *words).code == 0
    remount(disk, "ro")
    ended = negmine("mine", *words, "--set", "output.run_id=again")
    remount(disk, "rw")
    assert ended.code == 5, ended.err
    assert re.match(rf"error: cannot \w+ .*{disk}", ended.err), ended.err
    assert "Read-only file system" in ended.err
    assert "Traceback" not in ended.err
    assert published(tmp_path / "out") in ({}, {"runs": ""})
    ended = negmine("mine", *words, "--set", "output.run_id=again")
    assert ended.code == 0, ended.err
    assert digest(tmp_path / "out" / "runs" / "again") == digest(made / "runs" / "one")


@LONG
def test_kills_in_the_benchmark_lose_nothing(made: Path, tmp_path: Path) -> None:
    """benchmarks/faults.py in small: its exit status says whether anything was lost."""
    command = [sys.executable, "benchmarks/faults.py", str(made.parent / "collection")]
    command += ["--kills", "5", "--block-size", "5", "--student", str(made.parent / "student")]
    command += ["--judge", "none", "--out", str(tmp_path / "out")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"^\d kills: the same bytes; 0 finished parts made", ended.stdout, re.M)
