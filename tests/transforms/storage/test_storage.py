"""Files in a store by their mirror paths: fetched once, checked, and never half there."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data import columns as stores
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import MANIFEST, Dataset, write_part
from negmine.transforms.judging.pair_scores import PairScoreStore
from negmine.transforms.readers.paths import expand
from negmine.transforms.storage.places import local_path
from tests.transforms.storage.servers import Proxy, Store, at_times, environment, running, using

SCHEMA = pa.schema([pa.field("x", pa.int64(), nullable=False)])


@pytest.fixture(scope="module", params=["s3", "gs"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    with running(request.param, tmp_path_factory.mktemp("cache")) as store:
        yield store


@pytest.fixture
def store(server: Store, tmp_path: Path) -> Iterator[Store]:
    """The server with no objects below `t/`, and a mirror of the test's own."""
    mine = Store(server.scheme, server.port, tmp_path / "cache")
    with using(mine.elsewhere(mine.cache)):
        storage.remove_tree(local_path(f"{mine.url}/t"))
        yield mine


def numbers(start: int, stop: int) -> pa.Table:
    return pa.table({"x": np.arange(start, stop)}, schema=SCHEMA)


def data_set(store: Store, key: str = "t/set") -> Dataset:
    found = Dataset(str(local_path(f"{store.url}/{key}")))
    for start in (0, 10, 20):
        name = f"part-{start:012d}-{start + 10:012d}.parquet"
        write_part(found.path, name, numbers(start, start + 10), SCHEMA)
    found.finish(fingerprint="f")
    return found


def test_an_object_is_what_was_put_there(store: Store) -> None:
    data = np.random.default_rng(7).bytes(20_000_000)
    path = store.write("t/a folder/ä.bin", data)
    store.forget_mirror()
    assert storage.fetch(path).read_bytes() == data
    assert storage.state(path)[0] == len(data)
    assert store.write("t/empty", b"").stat().st_size == 0
    assert store.keys("t") == ["a folder/ä.bin", "empty"]
    assert storage.is_file(path) and not storage.is_dir(path)
    assert storage.is_dir(path.parent) and not storage.is_file(path.parent)
    assert [p.name for p in storage.folders(path.parents[1])] == ["a folder"]
    assert storage.sizes(path.parent) == {"ä.bin": len(data)}


def test_what_is_gone_from_the_store_is_gone(store: Store, tmp_path: Path) -> None:
    path = store.write("t/x", b"1")
    with using(store.elsewhere(tmp_path / "other")):
        storage.remove(local_path(f"{store.url}/t/x"))
    assert path.exists()
    assert not storage.is_file(path)
    with pytest.raises(FileNotFoundError):
        storage.fetch(path)
    assert not path.exists()
    storage.remove(path)


def test_a_copy_is_replaced_where_the_object_was(store: Store, tmp_path: Path) -> None:
    path = store.write("t/x", b"first")
    with using(store.elsewhere(tmp_path / "other")):
        store.write("t/x", b"second one")
    assert storage.fetch(path).read_bytes() == b"second one"


def test_a_folder_is_fetched_as_it_is(store: Store, tmp_path: Path) -> None:
    for name in ("a", "b/c", "b/d"):
        store.write(f"t/tree/{name}", name.encode())
    tree = local_path(f"{store.url}/t/tree")
    with using(store.elsewhere(tmp_path / "other")):
        storage.remove(local_path(f"{store.url}/t/tree/a"))
        fetched = storage.fetch_tree(tree)
        assert fetched != tree
        assert {f.name: f.read_text() for f in fetched.rglob("?") if f.is_file()} == {
            "c": "b/c",
            "d": "b/d",
        }
    assert (tree / "a").exists()
    assert not (storage.fetch_tree(tree) / "a").exists()


def test_files_folders_and_globs_name_the_same_as_on_disk(store: Store, tmp_path: Path) -> None:
    for name in (
        "a.jsonl",
        "b.jsonl.gz",
        "deep/c.jsonl",
        "deep/d.tsv",
        "_skip/e.jsonl",
        "a[1].jsonl",
    ):
        file = tmp_path / "c" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    root = store.write_tree(tmp_path / "c", "t/c")
    for pattern in ("", "/a.jsonl", "/*.jsonl", "/**/*.jsonl", "/?.jsonl", "/[ab].*", "/deep/*"):
        here = [name for _, name in expand(f"{tmp_path}/c{pattern}", "documents", ["jsonl"])]
        there = [name for _, name in expand(f"{root}{pattern}", "documents", ["jsonl"])]
        assert here == there, pattern


def test_a_data_set_is_finished_when_the_store_has_its_manifest(store: Store) -> None:
    found = data_set(store)
    assert found.finished and found.rows == 30
    storage.remove(local_path(f"{store.url}/t/set/{MANIFEST}"))
    (found.directory / MANIFEST).write_text("{}")
    assert not found.finished
    assert len(found.part_names()) == 3
    storage.remove_tree(found.directory)
    assert found.part_names() == []


def test_only_the_parts_that_are_read_are_fetched(store: Store) -> None:
    found = data_set(store)
    store.forget_mirror()
    assert found.read_part(found.part_names()[1]).column("x").to_pylist() == list(range(10, 20))
    assert [p.name for p in found.directory.glob("part-*")] == [found.part_names()[1]]
    assert found.read().column("x").to_pylist() == list(range(30))
    assert array_column(found, "x").tolist() == list(range(30))
    assert not [key for key in store.keys("t/set") if "_local" in key]


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_copy_of_a_part_is_fetched_again(store: Store, damage: str) -> None:
    found = data_set(store)
    part = found.directory / found.part_names()[0]
    data = part.read_bytes()
    part.write_bytes(data[:-7] if damage == "cut" else data[:40] + b"\xff" * 20 + data[60:])
    assert found.read_part(part.name).column("x").to_pylist() == list(range(10))
    assert part.read_bytes() == data


def test_a_damaged_part_in_the_store_is_an_error_that_names_it(store: Store) -> None:
    found = data_set(store)
    part = found.directory / found.part_names()[0]
    store.write(f"t/set/{part.name}", part.read_bytes()[:-9])
    store.forget_mirror()
    with pytest.raises(StorageError, match=f"{store.url}/t/set.*manifest says"):
        found.read()


def test_a_data_set_that_was_made_anew_replaces_the_mirror(store: Store, tmp_path: Path) -> None:
    found = data_set(store)
    assert array_column(found, "x").tolist() == list(range(30))
    with using(store.elsewhere(tmp_path / "other")):
        storage.remove_tree(found.directory)
        write_part(found.path, "part-000000000000-000000000005.parquet", numbers(5, 10), SCHEMA)
        found.finish(fingerprint="f")
    stores._array_column.cache_clear()
    assert found.finished and found.rows == 5
    assert array_column(found, "x").tolist() == [5, 6, 7, 8, 9]


def test_two_threads_fetch_an_object_once(store: Store) -> None:
    data = b"x" * 1_000_000
    path = store.write("t/x", data)
    store.forget_mirror()
    proxy = Proxy(store.port)
    with using(store.elsewhere(store.cache, proxy.own)):
        threads = [threading.Thread(target=storage.fetch, args=(path,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    proxy.close()
    assert path.read_bytes() == data
    read = [line for line in proxy.seen if line.startswith("GET") and "list-type" not in line]
    bodies = [
        line for line in read if store.scheme == "s3" or "alt=media" in line or "/t/x" in line
    ]
    assert len(bodies) <= 2


def test_pair_scores_are_shared_by_machines(store: Store, tmp_path: Path) -> None:
    scores = PairScoreStore(str(local_path(f"{store.url}/t/pairs")))
    keys = np.arange(8, dtype=np.uint64)
    values = np.linspace(0, 1, 8, dtype=np.float32)
    scores.write(keys[:4], keys[:4], values[:4])
    with using(store.elsewhere(tmp_path / "other")):
        other = PairScoreStore(scores.path)
        other.write(keys[4:], keys[4:], values[4:])
        assert other.read(keys, keys).tolist() == values.tolist()
    assert scores.read(keys, keys).tolist() == values.tolist()
    scores.consolidate()
    assert len(store.keys("t/pairs")) == 1
    with using(store.elsewhere(tmp_path / "other")):
        assert other.read(keys, keys).tolist() == values.tolist()


TRANSIENT = {
    "a 500": at_times("fail", 1, 2),
    "throttled": at_times("throttle", 1, 2),
    "dropped": at_times("drop", 1),
    "cut off": at_times("cut", 1, only="GET"),
}


@pytest.mark.parametrize("kind", TRANSIENT)
def test_what_passes_is_tried_again(store: Store, kind: str) -> None:
    path = store.write("t/x", b"data" * 1000)
    store.forget_mirror()
    proxy = Proxy(store.port, TRANSIENT[kind])
    with using(store.elsewhere(store.cache, proxy.own)):
        assert storage.fetch(path).read_bytes() == b"data" * 1000
        store.write("t/y", b"more")
    proxy.close()
    assert store.keys("t") == ["x", "y"]


REFUSED = {
    "fail": "run the same command again",
    "forbid": "refused access: check the credentials",
    "hang": "run the same command again",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_stays_is_an_error_that_says_what_to_do(kind: str, tmp_path: Path) -> None:
    proxy = Proxy(9, lambda _: kind)
    with using(environment("s3", proxy.own, tmp_path, seconds=1)):
        with pytest.raises(StorageError) as caught:
            storage.fetch(local_path("s3://bucket/x"))
        assert "cannot look for s3://bucket/x" in str(caught.value)
        assert REFUSED[kind] in str(caught.value)
    proxy.close()


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_nobody_there_and_no_bucket_are_errors(scheme: str, tmp_path: Path) -> None:
    with (
        using(environment(scheme, 9, tmp_path / "c", seconds=1)),
        pytest.raises(StorageError, match="Check the network, the endpoint"),
    ):
        storage.is_file(local_path(f"{scheme}://bucket/x"))


def test_a_missing_bucket_is_named(store: Store) -> None:
    path = local_path(f"{store.scheme}://no-such-bucket/x")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    with pytest.raises(StorageError, match=r"no-such-bucket/x.*Is the bucket there\?"):
        storage.put(path)


def test_a_mirror_that_cannot_be_written_is_named(store: Store) -> None:
    path = store.write("t/x", b"1")
    shutil.rmtree(store.cache)
    store.cache.write_text("a file")
    with pytest.raises(StorageError, match="NEGMINE_CACHE"):
        storage.fetch(path)
