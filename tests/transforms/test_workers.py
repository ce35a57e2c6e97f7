"""Worker processes of a local run: who makes an element, what comes back, and how helpers end."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from negmine.schemas.errors import DataError
from negmine.transforms import counters, workers
from negmine.transforms.workers import made_by_helper, made_by_workers, made_in_order, working_with


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two workers, the helper ready to work."""
    monkeypatch.setattr(workers, "SOON", 0.0)
    with working_with(2):
        _start_a_helper()
        yield
    workers._team.end()


def _start_a_helper() -> None:
    deadline = time.monotonic() + 120
    while not workers.helpers() and time.monotonic() < deadline:
        list(made_by_workers(_slowly, range(8)))
    assert workers.helpers() == 1


def _slowly(number: int) -> tuple[int, int]:
    time.sleep(0.05)
    return number, os.getpid()


def _in_a_helper(_: object) -> int:
    return os.getpid()


def _counting(number: int) -> int:
    time.sleep(0.05)
    counters.count("numbers", number)
    return number


def _refusing(number: int) -> int:
    time.sleep(0.05)
    if number == 5:
        raise DataError("number 5 cannot be used; take another")
    return number


def _deadly(element: tuple[int, int]) -> int:
    number, parent = element
    time.sleep(0.05)
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def _folder(_: object) -> str:
    return os.getcwd()


def _writing(element: tuple[int, str]) -> int:
    number, folder = element
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(0.2)
    return number


def test_this_process_and_the_helper_share_the_elements_out(team: None) -> None:
    made = list(made_by_workers(_slowly, range(12)))
    assert sorted(number for number, _ in made) == list(range(12))
    assert len({process for _, process in made}) == 2
    assert os.getpid() in {process for _, process in made}


def test_elements_are_taken_from_an_iterator_as_they_are_needed(team: None) -> None:
    taken: list[int] = []
    coming = (taken.append(number) or number for number in range(40))
    made = made_by_workers(_slowly, coming)
    next(made)
    assert len(taken) < 10
    assert sorted(number for number, _ in [*made]) != []
    assert taken == list(range(40))


def test_results_come_in_the_order_of_the_elements_where_that_is_asked_for(team: None) -> None:
    assert [number for number, _ in made_in_order(_slowly, range(12))] == list(range(12))


def test_a_thread_beside_has_its_work_done_by_the_helper(team: None) -> None:
    assert made_by_helper(_in_a_helper, None) != os.getpid()
    workers._team.end()
    assert made_by_helper(_in_a_helper, None) == os.getpid()


def test_it_is_done_here_where_the_helper_is_killed(team: None) -> None:
    assert made_by_helper(_deadly, (3, os.getpid())) == 3
    assert workers.helpers() == 0


def test_what_a_helper_counts_is_counted_here(team: None) -> None:
    with counters.collecting() as counted:
        made = list(made_by_workers(_counting, range(12)))
    assert sum(made) == counted["numbers"] == 66


def test_what_a_helper_raises_is_raised_here_and_the_helpers_end(team: None) -> None:
    with pytest.raises(DataError, match="number 5 cannot be used; take another"):
        list(made_by_workers(_refusing, range(12)))
    assert workers.helpers() == 0


def test_the_element_of_a_helper_that_is_killed_is_made_here(team: None) -> None:
    elements = [(number, os.getpid()) for number in range(12)]
    assert sorted(made_by_workers(_deadly, elements)) == list(range(12))


def test_a_short_job_starts_no_helper() -> None:
    with working_with(2):
        assert len(list(made_by_workers(_slowly, range(3)))) == 3
    assert workers.helpers() == 0


def test_one_worker_starts_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SOON", 0.0)
    assert {process for _, process in made_by_workers(_slowly, range(8))} == {os.getpid()}


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_helpers_end_with_the_process_that_started_them(
    ending: signal.Signals, tmp_path: Path
) -> None:
    script = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from negmine.transforms import workers
        from tests.transforms.test_workers import _writing
        workers.SOON = 0.0
        with workers.working_with(2):
            list(workers.made_by_workers(_writing, [(n, {str(tmp_path)!r}) for n in range(3000)]))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        helpers = [int(f.name) for f in tmp_path.iterdir() if f.name != str(process.pid)]
        assert len(helpers) == 1
    finally:
        process.send_signal(ending)
        process.wait(60)
    deadline = time.monotonic() + 60
    while psutil.pid_exists(helpers[0]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(helpers[0])


def test_a_copy_of_this_process_works_alone_and_leaves_the_helper_to_it(team: None) -> None:
    child = os.fork()
    if not child:
        alone = made_by_helper(_in_a_helper, None) == os.getpid()
        os._exit(0 if alone and not workers.helpers() else 1)
    deadline = time.monotonic() + 60
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.1)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended == (child, 0)
    assert made_by_helper(_in_a_helper, None) != os.getpid()


def test_helpers_do_not_import_from_the_folder_that_they_are_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    (tmp_path / "pickle.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workers, "SOON", 0.0)
    monkeypatch.setattr(sys, "path", [*sys.path, Path("/no/such/folder")])
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with working_with(2):
        _start_a_helper()
    workers._team.end()


def test_paths_are_those_of_the_folder_that_this_process_is_in_now(
    team: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(made_by_workers(_folder, range(8))) == {str(tmp_path)}
    assert made_by_helper(_folder, None) == str(tmp_path)


def test_another_program_in_the_place_of_python_is_no_helper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    monkeypatch.setattr(workers, "SOON", 0.0)
    monkeypatch.setattr(sys, "executable", "/bin/echo")
    with working_with(3):
        made = list(made_by_workers(_slowly, range(30)))
    assert sorted(made) == [(number, os.getpid()) for number in range(30)]
    workers._team.end()
    assert not raised


def test_helpers_start_where_no_standard_stream_is_open(tmp_path: Path) -> None:
    script = f"""
        import os, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        for number in range(3):
            os.close(number)
        sys.stdin = sys.stdout = sys.stderr = None
        from negmine.transforms import workers
        from tests.transforms import test_workers
        workers.SOON = 0.0
        with workers.working_with(2):
            test_workers._start_a_helper()
            Path({str(tmp_path)!r}, "helped").touch()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, timeout=200)
    assert (tmp_path / "helped").exists()


def test_the_number_of_workers_is_one_after_runs_of_two_threads_that_overlap() -> None:
    first, second = working_with(3), working_with(2)
    first.__enter__()
    second.__enter__()
    assert workers.workers() == 2
    first.__exit__(None, None, None)
    assert workers.workers() == 2
    second.__exit__(None, None, None)
    assert workers.workers() == 1
