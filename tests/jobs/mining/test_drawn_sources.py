"""The sources that draw: same_document, cluster, memory and weighted random, in whole runs."""

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.runs.published import Run, find_run
from tests.jobs.collections import document, negmine, static_student, write_config
from tests.transforms.input_files import write_beir

BOOKS, PASSAGES, WINDOW, COUNT = 4, 10, 2, 5
CHANGED = "b1#7"


class Ran(NamedTuple):
    """An earlier run, and one with every source that draws, in blocks of 3 queries and of all."""

    earlier: Run
    run: Run
    whole: Run

    def candidates(self, source: str) -> dict[str, dict[str, int]]:
        """Rank of each candidate of the source, by query."""
        found: dict[str, dict[str, int]] = {}
        for row in ledger(self.run).to_pylist():
            if row[f"{source}_rank"] is not None:
                found.setdefault(row["query_id"], {})[row["doc_id"]] = row[f"{source}_rank"]
        return found


def ledger(run: Run) -> pa.Table:
    table = pq.read_table(run.path / "ledger").sort_by([("query_id", "ascending")])
    return table.sort_by([("query_id", "ascending"), ("doc_id", "ascending")])


def collection(folder: Path, changed: str = "") -> Path:
    """Four books of ten passages; a query for the third passage of each."""
    ids = [f"b{book}#{place}" for book in range(BOOKS) for place in range(1, PASSAGES + 1)]
    texts = {name: document(at) + " solen" * (at % 5) for at, name in enumerate(ids)}
    if changed:
        texts[changed] += " luna"
    asked = {f"q{book}": f"b{book}#3" for book in range(BOOKS)}
    words = ("solen sola", "tera solix", "aqua solor", "vena tera")
    return write_beir(
        folder,
        [{"_id": name, "text": text} for name, text in texts.items()],
        [{"_id": q, "text": text} for q, text in zip(asked, words, strict=True)],
        [(q, d, 1) for q, d in asked.items()],
    )


def mine(base: Path, name: str, folder: Path, block_size: int, **sections: Any) -> Run:
    config = write_config(
        base / f"{name}.yaml",
        input={"format": "beir", "path": str(folder)},
        student={"model": str(base / "student"), "device": "cpu"},
        judge={"kind": "none"},
        runner={"block_size": block_size},
        output={"path": str(base / name)},
        **sections,
    )
    ended = negmine("mine", config)
    assert ended.code == 0, ended.err
    return find_run(str(base / name))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    base = tmp_path_factory.mktemp("drawn")
    static_student(base / "student")
    tiers = {"all": {"quota": 30}}
    earlier = mine(base, "earlier", collection(base / "then"), 512, tiers=tiers)
    sources = {
        "same_document": {"count": COUNT, "window": WINDOW},
        "cluster": {"count": COUNT, "clusters": 6, "nearest": 2},
        "memory": {"count": COUNT, "runs": [str(base / "earlier")]},
        "random": {"count": COUNT, "weight": "hubs"},
        "dense": {"depth": 3},
    }
    tiers = {name: {"quota": 1, "source": name} for name in sources if name != "dense"}
    now = collection(base / "now", CHANGED)
    made = [mine(base, f"in_{n}", now, n, sources=sources, tiers=tiers) for n in (3, 512)]
    return Ran(earlier, *made)


def test_candidates_do_not_depend_on_the_blocks(ran: Ran) -> None:
    assert ledger(ran.run).equals(ledger(ran.whole))


@pytest.mark.parametrize("source", ["same_document", "cluster", "memory", "random"])
def test_each_gives_its_count_ranked_from_one(ran: Ran, source: str) -> None:
    for found in ran.candidates(source).values():
        assert sorted(found.values()) == list(range(1, len(found) + 1))
        assert 1 <= len(found) <= COUNT


@pytest.mark.parametrize("source", ["same_document", "cluster", "memory"])
def test_none_gives_a_positive(ran: Ran, source: str) -> None:
    for query, found in ran.candidates(source).items():
        assert query.replace("q", "b") + "#3" not in found


def test_passages_are_of_the_positives_document_and_not_beside_it(ran: Ran) -> None:
    for query, found in ran.candidates("same_document").items():
        book = query.replace("q", "b")
        assert set(found) <= {f"{book}#{n}" for n in range(3 + WINDOW + 1, PASSAGES + 1)}
        assert len(found) == COUNT


def test_a_tier_takes_negatives_of_its_source_in_their_order(ran: Ran) -> None:
    for source in ("same_document", "cluster", "memory"):
        tier = pq.read_table(ran.run.path / "negatives" / f"tier={source}", partitioning=None)
        assert tier.num_rows == BOOKS
        for row in tier.to_pylist():
            assert source in row["sources"]


def test_memory_holds_what_was_a_negative_and_is_still_what_it_was(ran: Ran) -> None:
    was = pq.read_table(ran.earlier.path / "negatives").to_pylist()
    known = {(row["query_id"], row["negative_id"]) for row in was}
    assert any(name == CHANGED for _, name in known), "the change matters"
    found = {(q, d) for q, documents in ran.candidates("memory").items() for d in documents}
    assert found and found <= {pair for pair in known if pair[1] != CHANGED}


@pytest.mark.parametrize(
    "section",
    [
        {"sources": {"memory": {"runs": ["nowhere"]}}},
        {"sources": {"given": {"path": "nowhere.jsonl"}}},
        {"judge": {"kind": "precomputed", "path": "nowhere.jsonl"}},
    ],
)
def test_what_is_not_there_is_named_before_anything_is_made(
    tmp_path: Path, section: dict[str, Any]
) -> None:
    config = write_config(
        tmp_path / "run.yaml",
        input={"format": "beir", "path": str(collection(tmp_path / "in"))},
        student={"model": str(static_student(tmp_path / "student")), "device": "cpu"},
        output={"path": str(tmp_path / "out")},
        **{"judge": {"kind": "none"}, **section},
    )
    ended = negmine("mine", config)
    assert ended.code in (2, 3)
    assert "nowhere" in ended.err
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_weights_need_what_they_are_counted_in(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "run.yaml",
        input={"format": "stdlib"},
        sources={"dense": None, "random": {"weight": "hubs"}},
    )
    ended = negmine("mine", config)
    assert ended.code == 2
    assert "random.weight hubs counts what dense finds, and dense is off" in ended.err
