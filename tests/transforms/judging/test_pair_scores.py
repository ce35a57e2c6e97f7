"""The pair-score store against a dict, under kills, beside other processes, and when damaged."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.schemas.errors import StorageError
from negmine.transforms.judging import pair_scores
from negmine.transforms.judging.pair_scores import PairScoreStore

ROOT = Path(__file__).parents[3]
HASH = st.sampled_from([0, 1, 2, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1])
PAIRS = st.lists(st.tuples(HASH, HASH), max_size=20)


def hashes(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def score_of(queries: np.ndarray, documents: np.ndarray) -> np.ndarray:
    """The judge of these tests."""
    mixed = queries * np.uint64(31) + documents * np.uint64(17)
    return (mixed % np.uint64(9973)).astype(np.float32)


def add(store: PairScoreStore, pairs: list[tuple[int, int]]) -> None:
    queries, documents = hashes(pairs)
    store.write(queries, documents, score_of(queries, documents))


def wave(number: int, size: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of wave `number`, apart from all other waves'."""
    return hashes([(row % 5, number * size + row) for row in range(size)])


def parts(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("part-*.parquet"))


@pytest.fixture(scope="module")
def spare() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.one_of(PAIRS, st.just("consolidate"), st.just("reopen")), max_size=8),
    asked=PAIRS,
)
def test_it_answers_as_a_dict_does(
    spare: Path, steps: list[str | list[tuple[int, int]]], asked: list[tuple[int, int]]
) -> None:
    with TemporaryDirectory(dir=spare) as folder:
        store, other = PairScoreStore(folder), PairScoreStore(folder)
        expected: dict[tuple[int, int], float] = {}
        for step in steps:
            if step == "consolidate":
                store.consolidate()
                assert len(parts(Path(folder))) <= 1
            elif step == "reopen":
                store = PairScoreStore(folder)
            else:
                assert isinstance(step, list)
                add(store, step)
                expected |= dict(zip(step, score_of(*hashes(step)).tolist(), strict=True))
            for reader in (store, other):
                found = reader.read(*hashes(asked))
                assert found.dtype == np.float32
                want = [expected.get(pair, np.nan) for pair in asked]
                np.testing.assert_array_equal(found, np.array(want, dtype=np.float32))


def test_nothing_is_written_for_no_score(tmp_path: Path) -> None:
    store = PairScoreStore(str(tmp_path / "new"))
    store.write(*wave(0, 0), np.empty(0, np.float32))
    store.write(*wave(0, 3), np.full(3, np.nan, np.float32))
    store.consolidate()
    assert np.isnan(store.read(*wave(0, 3))).all()
    assert not (tmp_path / "new").exists()


def test_a_score_is_kept_bit_for_bit(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).random(50).astype(np.float32)
    PairScoreStore(str(tmp_path)).write(*wave(0), scores)
    assert np.array_equal(PairScoreStore(str(tmp_path)).read(*wave(0)), scores)


def test_writing_again_in_another_order_is_the_same_part(tmp_path: Path) -> None:
    store = PairScoreStore(str(tmp_path))
    queries, documents = wave(0)
    store.write(queries, documents, score_of(queries, documents))
    (name,) = parts(tmp_path)
    before = (tmp_path / name).read_bytes()
    turned = np.concatenate([np.arange(50)[::-1], np.arange(50)])
    queries, documents = queries[turned], documents[turned]
    store.write(queries, documents, score_of(queries, documents))
    assert parts(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == before


def test_small_parts_become_one_and_large_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_scores, "SMALL_PART", 50)
    store = PairScoreStore(str(tmp_path))
    store.write(*wave(99), score_of(*wave(99)))
    (large,) = parts(tmp_path)
    for number in range(6):
        store.write(*wave(number, 10), score_of(*wave(number, 10)))
    store.read(*wave(0))
    store.consolidate()
    store.read(*wave(0))
    store.consolidate()
    assert len(parts(tmp_path)) == 2
    assert large in parts(tmp_path)
    assert parts(tmp_path / "_local") == parts(tmp_path)


def test_a_part_that_holds_all_of_another_survives_the_merge(tmp_path: Path) -> None:
    """The merged part then has the name of one that was merged."""
    store = PairScoreStore(str(tmp_path))
    add(store, [(1, 1), (1, 2)])
    add(store, [(1, 2)])
    store.consolidate()
    assert not np.isnan(store.read(*hashes([(1, 1), (1, 2)]))).any()
    assert len(parts(tmp_path)) == 1


def test_a_store_travels_as_its_path(tmp_path: Path) -> None:
    store = PairScoreStore(str(tmp_path))
    add(store, [(1, 2)])
    store.read(*hashes([(1, 2)]))
    copy = pickle.loads(pickle.dumps(store))
    assert np.array_equal(copy.read(*hashes([(1, 2)])), store.read(*hashes([(1, 2)])))


@pytest.mark.parametrize("localised", [False, True])
@pytest.mark.parametrize("cut", [0, 10, 400])
def test_a_truncated_part_is_named(tmp_path: Path, localised: bool, cut: int) -> None:
    store = PairScoreStore(str(tmp_path))
    store.write(*wave(0), score_of(*wave(0)))
    if localised:
        store.read(*wave(0))
    (name,) = parts(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:cut])
    for use in (lambda s: s.read(*wave(0)), lambda s: s.consolidate()):
        with pytest.raises(StorageError, match=f"{name} cannot be read.*delete that file"):
            use(PairScoreStore(str(tmp_path)))
    (tmp_path / name).unlink()
    assert np.isnan(PairScoreStore(str(tmp_path)).read(*wave(0))).all()


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    store = PairScoreStore(str(tmp_path))
    store.write(*wave(0), score_of(*wave(0)))
    (name,) = parts(tmp_path)
    data = bytearray((tmp_path / name).read_bytes())
    data[60] ^= 1
    (tmp_path / name).write_bytes(bytes(data))
    with pytest.raises(StorageError, match=name):
        store.read(*wave(0))


def test_a_mapped_copy_cut_off_is_made_again(tmp_path: Path) -> None:
    PairScoreStore(str(tmp_path)).write(*wave(0), score_of(*wave(0)))
    PairScoreStore(str(tmp_path)).read(*wave(0))
    (copy,) = (tmp_path / "_local").glob("part-*")
    copy.write_bytes(copy.read_bytes()[:-1])
    found = PairScoreStore(str(tmp_path)).read(*wave(0))
    assert np.array_equal(found, score_of(*wave(0)))


def test_what_a_killed_process_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    store = PairScoreStore(str(tmp_path))
    store.write(*wave(0), score_of(*wave(0)))
    old, new = (tmp_path / f".part-{age}.parquet.1.tmp" for age in ("old", "new"))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (0, time.time() - 2 * pair_scores.ABANDONED))
    store.consolidate()
    assert not old.exists()
    assert new.exists()


WRITER = """
import sys
sys.path.insert(0, {root!r})
from tests.transforms.judging.test_pair_scores import score_of, wave
from negmine.transforms.judging.pair_scores import PairScoreStore
store = PairScoreStore({path!r})
for number in range({start}, {stop}):
    if {pause} and number % {pause} == 0:
        sys.stdin.readline()
    store.write(*wave(number), score_of(*wave(number)))
    print(number, flush=True)
    if number % 3 == 2:
        store.consolidate()
"""


def writer(path: Path, start: int, stop: int, pause: int = 0) -> subprocess.Popen[str]:
    """A process that writes waves and tells each; it asks for a line before every `pause` waves."""
    code = WRITER.format(root=str(ROOT), path=str(path), start=start, stop=stop, pause=pause)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)


def test_a_kill_loses_no_finished_score(tmp_path: Path) -> None:
    finished = [-1]
    for told in (1, 2, 3, 5):
        process = writer(tmp_path, finished[-1] + 1, 10**6)
        assert process.stdout and process.stdin
        finished += [int(process.stdout.readline()) for _ in range(told)]
        process.send_signal(signal.SIGKILL)
        finished += map(int, process.stdout.read().split())
        process.wait()
        process.stdout.close()
        process.stdin.close()
        store = PairScoreStore(str(tmp_path))
        for number in finished[1:]:
            assert np.array_equal(store.read(*wave(number)), score_of(*wave(number)))
    assert len(finished) > 11


def test_processes_write_consolidate_and_read_at_once(tmp_path: Path) -> None:
    waves, pause = 30, 5
    processes = [writer(tmp_path, start, start + waves, pause) for start in (0, waves)]
    everything = [np.concatenate(sides) for sides in zip(*map(wave, range(2 * waves)), strict=True)]
    expected = score_of(*everything)
    store, seen = PairScoreStore(str(tmp_path)), np.zeros(len(expected), dtype=bool)
    for _ in range(waves // pause):
        for process in processes:
            assert process.stdin
            process.stdin.write("go on\n")
            process.stdin.flush()
        found = store.read(*everything)
        known = ~np.isnan(found)
        assert np.array_equal(found[known], expected[known])
        assert known[seen].all()
        assert known.reshape(-1, 50).all(axis=1).sum() == known.sum() / 50
        seen = known
        for process in processes:
            assert process.stdout
            assert all(process.stdout.readline() for _ in range(pause))
    for process in processes:
        assert process.stdout and process.stdin
        assert process.wait() == 0
        process.stdout.close()
        process.stdin.close()
    assert np.array_equal(store.read(*everything), expected)
    store.consolidate()
    assert len(parts(tmp_path)) == 1
