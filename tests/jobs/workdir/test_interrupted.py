"""Runs that are stopped or meet a full disk: nothing half-published, and the same bytes after."""

import signal
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from negmine.transforms.storage import digests
from tests.jobs.collections import (
    digest,
    fill,
    full_disk,
    leftovers,
    negmine,
    published,
    small_run,
)
from tests.jobs.vector_files import export
from tests.jobs.workdir.standing import Standing, standing

MIDDLE = "part-000000000005-000000000010.parquet"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interrupted")


@pytest.fixture(scope="module")
def config(base: Path) -> str:
    """A run cut into many blocks, so that there is a middle to stop it in.

    Its vectors are given, so that a process of its own need not load a model's libraries.
    """
    vectors = {"vectors": export(base / "vectors")}
    return small_run(base, student=vectors, runner={"block_size": 5}, output={"run_id": "one"})


@pytest.fixture(scope="module")
def undisturbed(base: Path, config: str) -> dict[str, str]:
    ended = negmine("mine", config, "--output", str(base / "whole"))
    assert ended.code == 0, ended.err
    return digest(base / "whole" / "runs" / "one")


def completes(config: str, output: Path, undisturbed: dict[str, str]) -> None:
    """The same command goes on from the finished parts and publishes the same bytes."""
    ended = negmine("mine", config, "--output", str(output))
    assert ended.code == 0, ended.err
    assert undisturbed
    assert digest(output / "runs" / "one") == undisturbed
    assert (output / "current").read_text() == "one\n"


def in_the_middle(config: str, output: Path) -> AbstractContextManager[Standing]:
    """A run in a process of its own that stands still, some of its work done and on disk."""
    return standing(config, output, "retrieve random", "begin", MIDDLE)


def stopped(config: str, output: Path, number: int) -> tuple[int, str]:
    """Send a signal in the middle of the work; exit code and stderr."""
    with in_the_middle(config, output) as run:
        run.go_on(number)
        return run.end()


def test_control_c_ends_with_130_and_the_same_command_goes_on(
    config: str, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    code, err = stopped(config, tmp_path, signal.SIGINT)
    assert code == 130, err
    assert err == "interrupted; finished parts are kept, the same command goes on from there\n"
    assert published(tmp_path) == {}
    assert leftovers(tmp_path) == []
    completes(config, tmp_path, undisturbed)


def test_a_killed_run_goes_on_to_the_same_bytes(
    config: str, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    code, _ = stopped(config, tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert published(tmp_path) == {}
    completes(config, tmp_path, undisturbed)


def test_a_work_directory_that_vanishes(
    config: str, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    with in_the_middle(config, tmp_path) as run:
        (tmp_path / "work").rename(tmp_path / "gone")
        run.go_on()
        code, err = run.end()
    assert code == 5, err
    assert err.startswith("error: ") and str(tmp_path / "work") in err, err
    assert err.count("\n") == 1
    assert published(tmp_path) == {}
    completes(config, tmp_path, undisturbed)


PLACES = (
    *(f"work/{place}" for place in ("inputs.json", "ingest", "embed", "retrieve", "score")),
    *(
        pytest.param(f"work/{place}", marks=pytest.mark.long)
        for place in ("bm25_index", "judge", "select")
    ),
    "/runs/",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_disk_that_fills_in_any_stage(
    config: str, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "RACY", 0)
    with full_disk(place.replace("inputs.json", ".inputs.json")):
        ended = negmine("mine", config, "--output", str(tmp_path))
    assert ended.code == 5, ended.err
    assert ended.err.startswith(f"error: cannot write {tmp_path}")
    assert "No space left on device" in ended.err
    assert "the same command" in ended.err
    assert ended.err.count("\n") == 1
    assert published(tmp_path) == {}
    assert leftovers(tmp_path) == []


def test_a_disk_that_fills_while_a_student_embeds(tmp_path: Path) -> None:
    with full_disk("work/embed"):
        ended = negmine("mine", small_run(tmp_path))
    assert ended.code == 5, ended.err
    assert ended.err.startswith(f"error: cannot write {tmp_path}")
    assert ended.err.count("\n") == 1
    assert published(tmp_path / "out") == {}
    assert leftovers(tmp_path / "out") == []


def test_a_disk_that_fills_at_the_last_step_leaves_a_whole_run_out_of_force(
    config: str, tmp_path: Path
) -> None:
    with full_disk(".current."):
        ended = negmine("mine", config, "--output", str(tmp_path))
    assert ended.code == 5
    assert "No space left on device" in ended.err
    assert f"negmine runs promote {tmp_path} one" in ended.err
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "current").exists()
    assert negmine("runs", "promote", str(tmp_path), "one").code == 0
    assert (tmp_path / "current").read_text() == "one\n"


@pytest.mark.parametrize("leave", [0, pytest.param(20_000, marks=pytest.mark.long)])
def test_a_disk_that_is_really_full_while_reading(
    config: str, small_disk: Path, undisturbed: dict[str, str], leave: int
) -> None:
    ballast = fill(small_disk, leave)
    ended = negmine("mine", config, "--output", str(small_disk))
    assert ended.code == 5, ended.err
    assert ended.err.startswith("error: cannot ")
    assert "No space left on device" in ended.err
    assert "Traceback" not in ended.err
    assert published(small_disk) == {}
    ballast.unlink()
    completes(config, small_disk, undisturbed)


STEPS = (
    "embed",
    "score",
    *(pytest.param(step, marks=pytest.mark.long) for step in ("ingest", "retrieve", "judge")),
)


@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_is_really_full_after_a_stage(
    config: str, small_disk: Path, undisturbed: dict[str, str], step: str
) -> None:
    """After embed and judge the next to write are the mapped copies; after score, the run."""
    output = ("--output", str(small_disk))
    assert negmine(step, config, *output).code == 0
    ballast = fill(small_disk, 0)
    ended = negmine("mine", config, *output)
    assert ended.code == 5, ended.err
    assert ended.err.startswith("error: cannot "), ended.err
    assert "No space left on device" in ended.err
    assert "Traceback" not in ended.err
    assert published(small_disk) == {}
    assert leftovers(small_disk) == []
    ballast.unlink()
    completes(config, small_disk, undisturbed)
