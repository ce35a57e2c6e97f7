"""gc: what no published run needs goes when told to, and nothing else ever does."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from negmine.jobs.runs.published import find_run
from negmine.jobs.workdir.doctor import diagnose
from tests.jobs.collections import Ended, digest, negmine
from tests.jobs.workdir.standing import HANG, Standing, standing
from tests.jobs.workdir.workdirs import artifact, copied, make, mine, seen

ROOT = Path(__file__).parents[3]
DAY, HOUR = 86_400, 3600
GONE = 4_000_000
"""The id of no process: beyond the kernel's highest."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("gc"))


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    return copied(made, tmp_path / "out")


def gc(*arguments: str | Path) -> Ended:
    ended = negmine("gc", *map(str, arguments))
    assert ended.code == 0, ended.err
    return ended


def artifacts(output: Path) -> set[str]:
    return {str(p.relative_to(output / "work")) for p in output.glob("work/*/????????????????/")}


OTHER = ("--set", "sources.bm25.depth=7", "--set", "seed=3")


@pytest.fixture(scope="module")
def scored(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output, in which stages of other settings were run and never published."""
    folder = copied(made, tmp_path_factory.mktemp("scored") / "out")
    config = made.parent / "one.yaml"
    assert negmine("score", str(config), "--output", str(folder), *OTHER).code == 0
    return folder


@pytest.fixture
def extra(scored: Path, made: Path, output: Path) -> set[str]:
    """Artifacts of those stages, put into the output; no run needs them."""
    names = artifacts(scored) - artifacts(made)
    for name in names:
        shutil.copytree(scored / "work" / name, output / "work" / name)
    return names


def age(path: Path, seconds: float) -> Path:
    for file in (path, *path.rglob("*")):
        os.utime(file, (time.time() - seconds,) * 2, follow_symlinks=False)
    return path


def test_without_delete_everything_stays(output: Path, extra: set[str]) -> None:
    before = seen(output)
    ended = gc(output)
    assert seen(output) == before
    assert {line.split()[1] for line in ended.out.splitlines() if "no run needs" in line} == {
        str(output / "work" / name) for name in extra
    }
    assert "--delete removes it" in ended.out


def test_the_runs_answer_and_are_reused_after_a_deletion(
    made: Path, output: Path, extra: set[str]
) -> None:
    kept = artifacts(output) - extra
    assert {name.split("/")[0] for name in extra} >= {"retrieve", "judge", "select", "score"}
    ended = gc(output, "--delete")
    assert artifacts(output) == kept
    assert f"removed: {len(extra)} things" in ended.out
    assert "note:" not in ended.out
    assert diagnose(output, deep=True).findings == []
    for run_id in ("one", "two"):
        run = f"{output}:{run_id}"
        ledger = digest(made / "runs" / run_id, "ledger")
        assert digest(output / "runs" / run_id, "ledger") == ledger
        for ask in (
            ("show", run),
            ("query", run, "SELECT count(*) FROM candidates, documents, queries"),
            ("why", run, "q0001"),
            ("why", run, "q0001", "d0001"),
            ("sweep", run, "--policy", "tiers.hard.quota=1,2"),
            ("export", run, "--format", "triplet"),
        ):
            ended = negmine(*ask)
            assert ended.code == 0, ended.err
        assert (
            "the tests of each policy are not shown"
            not in negmine("why", run, "q0001", "d0001").out
        )
        again = mine(made.parent / f"{run_id}.yaml", output, f"{run_id}-again")
        timings = find_run(str(again)).manifest["timings"]
        made_anew = [stage for stage, entry in timings.items() if not entry["reused"]]
        assert made_anew == ["publish"]
        assert artifacts(output) == kept


def test_a_run_names_every_artifact_it_was_made_from(made: Path) -> None:
    named = set()
    for run_id in ("one", "two"):
        for path in find_run(f"{made}:{run_id}").artifacts().values():
            named.add("/".join(path.relative_to(made / "work").parts[:2]))
    assert named == artifacts(made)
    assert {name.split("/")[0] for name in named} >= {"bm25_index", "pair_scores", "score"}


def test_what_only_row_level_reuse_would_use_stays_unless_all(made: Path, output: Path) -> None:
    prompted = ("--output", str(output), "--set", "student.document_prompt=a ")
    before = set(output.glob("work/embed/*/"))
    assert negmine("embed", str(made.parent / "one.yaml"), *prompted).code == 0
    by_row = {*output.glob("work/embed/*/")} - before | {artifact(output, "pair_scores")}
    assert len(by_row) == 3
    shutil.rmtree(output / "runs" / "two")
    (output / "current").write_text("one\n")
    ended = gc(output, "--delete")
    assert all(path.is_dir() for path in by_row)
    assert "kept for row-level reuse: 3, " in ended.out
    assert "(--all: these go too)" in ended.out
    gc(output, "--delete", "--all")
    assert not any(path.exists() for path in by_row)
    assert all(path.exists() for path in before)
    assert diagnose(output, deep=True).findings == []


def test_older_runs_are_listed_and_go_only_with_runs(output: Path) -> None:
    ended = gc(output, "--keep", "1", "--delete")
    assert f"rm -r -- {output}/runs/one" in ended.out
    assert (output / "runs" / "one").is_dir()
    ended = gc(output, "--keep", "1", "--runs")
    assert f"{output}/runs/one  older than" in ended.out
    assert (output / "runs" / "one").is_dir()
    gc(output, "--keep", "1", "--runs", "--delete")
    assert [path.name for path in (output / "runs").iterdir()] == ["two"]
    assert diagnose(output, deep=True).findings == []
    assert negmine("why", f"{output}:two", "q0001", "d0001").code == 0


def test_the_run_in_force_stays_however_old(output: Path) -> None:
    (output / "current").write_text("one\n")
    gc(output, "--keep", "1", "--runs", "--delete")
    assert {path.name for path in (output / "runs").iterdir()} == {"one", "two"}


def test_a_run_from_before_manifests_named_everything_keeps_its_index(output: Path) -> None:
    manifest = output / "runs" / "two" / "manifest.json"
    value = json.loads(manifest.read_text())
    named = ("documents", "queries", "judged", "verdicts")
    value["artifacts"] = {name: value["artifacts"][name] for name in named}
    manifest.write_text(json.dumps(value))
    score = artifact(output, "score", "one")
    shutil.rmtree(output / "runs" / "one")
    before = artifacts(output)
    gc(output, "--delete", "--all")
    gone = {name.split("/")[0] for name in before - artifacts(output)}
    assert gone == {"check_judge", "judge", "select", "score"}
    assert not score.exists()
    assert negmine("why", str(output), "q0001", "d0001").code == 0


def test_runs_without_keep_is_refused(output: Path) -> None:
    ended = negmine("gc", str(output), "--runs")
    assert (ended.code, "say how many to keep" in ended.err) == (2, True)


def test_a_killed_publishing_goes_and_a_living_one_stays(output: Path) -> None:
    gone = output / "runs" / f".three.{GONE}.tmp"
    living = output / "runs" / f".four.{os.getpid()}.tmp"
    for folder in (gone, living):
        (folder / "negatives").mkdir(parents=True)
    age(living, 2 * DAY)
    gc(output, "--delete")
    assert not gone.exists()
    assert living.is_dir()


def test_temporary_files_go_after_an_hour(output: Path) -> None:
    judged, documents = artifact(output, "judged"), artifact(output, "documents")
    names = [
        output / ".current.1.tmp",
        output / "runs" / ".three.probe",
        output / "work" / ".inputs.json.12-34.tmp",
        judged / ".part-000000000000-000000000005.parquet.12-34.tmp",
        documents / "_local" / "text.building",
        artifact(output, "bm25_index") / "postings" / "_local" / "numbers.building",
    ]
    for path in names:
        path.touch()
    gc(output, "--delete")
    assert all(path.exists() for path in names)
    others = [output / ".mine.tmp", output / "notes.building", output / "runs" / "one" / ".x.1.tmp"]
    for path in (*others, *names):
        path.touch()
        age(path, HOUR + 60)
    gc(output, "--delete")
    assert not any(path.exists() for path in names)
    assert all(path.exists() for path in others)


def test_unfinished_artifacts_go_after_a_day(output: Path, extra: set[str]) -> None:
    paths = sorted(output / "work" / name for name in extra)
    for path in paths:
        (path / "_manifest.json").unlink(missing_ok=True)
    gc(output, "--delete")
    assert all(path.is_dir() for path in paths)
    for path in paths:
        age(path, DAY + 60)
    ended = gc(output, "--delete")
    assert ended.out.count("unfinished for over a day") == len(paths)
    assert not any(path.exists() for path in paths)


def test_nothing_goes_while_it_is_unknown_what_a_run_needs(output: Path, extra: set[str]) -> None:
    manifest = output / "runs" / "one" / "manifest.json"
    for text in (None, "{", "{}", '{"artifacts": []}'):
        if text is None:
            manifest.unlink()
        else:
            manifest.write_text(text)
        before = seen(output)
        ended = negmine("gc", str(output), "--delete")
        assert ended.code == 5, text
        assert str(manifest.parent) in ended.err
        assert seen(output) == before


def test_symbolic_links_are_not_followed(made: Path, output: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(artifact(output, "judged"), outside / "0123456789abcdef")
    age(outside, 2 * DAY)
    (output / "work" / "precomputed").symlink_to(outside)
    (output / "work" / "judge" / "0123456789abcdef").symlink_to(outside / "0123456789abcdef")
    (output / "runs" / f".x.{GONE}.tmp").symlink_to(outside)
    (output / "runs" / "old").symlink_to(made / "runs" / "one")
    inner = artifact(output, "judged", "one").parent / "fedcba9876543210"
    shutil.copytree(artifact(output, "judged"), inner)
    (inner / "_local").mkdir(exist_ok=True)
    (inner / "_local" / "link").symlink_to(outside)
    before, source = seen(outside), seen(made)
    ended = gc(output, "--delete", "--all", "--keep", "1", "--runs")
    assert not inner.exists()
    assert (seen(outside), seen(made)) == (before, source)
    assert f"{output / 'work' / 'precomputed'} is a symbolic link" in ended.out


def test_a_work_directory_elsewhere_has_to_be_named(output: Path, extra: set[str]) -> None:
    elsewhere = (output / "work").rename(output.parent / "elsewhere")
    (output / "work").symlink_to(elsewhere)
    gc(output, "--delete")
    assert all((elsewhere / name).is_dir() for name in extra)
    ended = gc(output, "--workdir", elsewhere, "--delete")
    assert not any((elsewhere / name).exists() for name in extra)
    assert "only runs of the outputs given here keep what is in it" in ended.out
    assert diagnose(output, deep=True).sound


def test_a_work_directory_of_two_outputs(output: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "runs").mkdir(parents=True)
    (output / "runs" / "two").rename(other / "runs" / "two")
    (output / "current").write_text("one\n")
    (other / "current").write_text("two\n")
    before = artifacts(output)
    gc(output, other, "--workdir", output / "work", "--delete", "--all")
    assert artifacts(output) == before
    gc(output, "--delete", "--all")
    assert artifacts(output) < before


@pytest.mark.parametrize("name", ["nowhere", "collection"])
def test_folders_that_are_neither_are_refused(name: str, made: Path) -> None:
    assert negmine("gc", str(made.parent / name), "--delete").code == 2
    assert negmine("gc", str(made), "--workdir", str(made.parent / name), "--delete").code == 2


@pytest.fixture
def mining(made: Path, output: Path) -> Iterator[Standing]:
    """A run in another process that stands still in the middle of its work."""
    settings = ("sources.bm25.depth=7", "seed=3")
    before, config = artifacts(output), made.parent / "one.yaml"
    with standing(config, output, "retrieve bm25", "start", "", *settings) as run:
        assert artifacts(output) > before
        yield run


def test_nothing_goes_while_another_process_works_there(output: Path, mining: Standing) -> None:
    shutil.rmtree(output / "runs" / "two")
    before = seen(output)
    ended = negmine("gc", str(output), "--delete")
    assert ended.code == 5
    assert ended.err.startswith(f"error: another process works in {output / 'work'}")
    assert "another process works in" in gc(output).out
    assert "a run is at work here" in negmine("doctor", str(output)).out
    assert seen(output) == before
    mining.kill()
    assert re.search(r"removed: \d+ things", gc(output, "--delete").out)


def waits_for_a_lock(process: int) -> bool:
    """Whether the kernel has the process wait for a lock that another holds."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and str(process) in line.split() for line in lines)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel does not tell of locks")
def test_a_run_waits_for_a_deletion_to_end(made: Path, output: Path) -> None:
    holding = (
        "import sys; from pathlib import Path\n"
        "from negmine.transforms.storage.locks import exclusive_lock\n"
        "with exclusive_lock(Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(output / "work")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        command = ("score", str(made.parent / "one.yaml"), "--output", str(output))
        run = subprocess.Popen(
            [sys.executable, "-m", "negmine", *command], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        while not waits_for_a_lock(run.pid):
            assert run.poll() is None
            time.sleep(0.05)
        holder.stdin.close()
        assert run.wait(HANG) == 0


def test_a_removal_that_is_cut_short_leaves_nothing_that_looks_whole(
    made: Path, output: Path, monkeypatch: pytest.MonkeyPatch, extra: set[str]
) -> None:

    def killed(path: Path) -> None:
        next(path.rglob("part-*.parquet")).unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        assert negmine("gc", str(output), "--delete").code == 130
    assert len(artifacts(output) & extra) == len(extra) - 1
    assert diagnose(output).sound
    config = made.parent / "one.yaml"
    assert negmine("score", str(config), "--output", str(output), *OTHER).code == 0
    assert diagnose(output, deep=True).sound
