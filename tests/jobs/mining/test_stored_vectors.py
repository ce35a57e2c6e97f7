"""Given vectors in a store: the run has the bytes of the run whose vectors lie on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from negmine.jobs.runner.options import resolve
from negmine.schemas.config import Runner
from negmine.transforms import storage
from negmine.transforms.storage.places import local_path
from tests.jobs.collections import Ended, digest, negmine, write_collection, write_config
from tests.jobs.runner.job_service import job_service
from tests.jobs.vector_files import DOCUMENTS, QUERIES, export
from tests.transforms.storage.servers import Store, running

PUBLISHED = ("negatives", "positives", "ledger", "sets")


@dataclass(frozen=True)
class Case:
    """A store that has everything, a config, and the bytes of the run that never saw a store."""

    store: Store
    config: str
    expected: dict[str, dict[str, str]]

    def mine(self, output: str, *arguments: str) -> Ended:
        return negmine("mine", self.config, "--output", f"{self.store.url}/{output}", *arguments)

    def published(self, output: str) -> dict[str, dict[str, str]]:
        run = storage.fetch_tree(local_path(f"{self.store.url}/{output}/runs/r"))
        return {name: digest(run, name) for name in PUBLISHED}


@pytest.fixture(scope="module", params=["s3", "gs"])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    base = tmp_path_factory.mktemp("case")
    collection = write_collection(base / "c", DOCUMENTS, QUERIES)
    vectors = export(base / "vectors")
    sections = {
        "judge": {"kind": "none"},
        "sources": {"bm25": {"depth": 10}, "dense": {"depth": 10}, "random": {"count": 5}},
        "output": {"run_id": "r"},
    }
    local = write_config(
        base / "local.yaml",
        input={"format": "beir", "path": str(collection)},
        student={"vectors": vectors},
        **sections,
    )
    ended = negmine("mine", local, "--output", str(base / "out"))
    assert ended.code == 0, ended.err
    expected = {name: digest(base / "out" / "runs" / "r", name) for name in PUBLISHED}
    with running(request.param, base / "cache") as store:
        store.write("in/vectors/queries.parquet", Path(vectors["queries"]).read_bytes())
        documents = store.write_tree(Path(vectors["documents"]), "in/vectors/documents")
        queries = f"{store.url}/in/vectors/queries.parquet"
        config = write_config(
            base / "stored.yaml",
            input={"format": "beir", "path": store.write_tree(collection, "in/c")},
            student={"vectors": {"documents": documents, "queries": queries}},
            **sections,
        )
        store.forget_mirror()
        yield Case(store, config, expected)


def test_vectors_in_a_store_give_the_bytes_of_local_ones(case: Case) -> None:
    ended = case.mine("out")
    assert ended.code == 0, ended.err
    assert case.published("out") == case.expected
    assert not [key for key in case.store.keys("out") if "_given" in key], "the copy is removed"
    pattern = f"student.vectors.documents={case.store.url}/in/vectors/documents/*.parquet"
    ended = case.mine("out", "--set", "output.run_id=again", "--set", pattern)
    assert ended.code == 0, ended.err


def test_vectors_that_are_not_in_the_store_are_named_by_their_url(case: Case) -> None:
    missing = f"{case.store.url}/in/none.parquet"
    ended = case.mine("none", "--set", f"student.vectors.queries={missing}")
    assert ended.code == 3
    assert f"student.vectors.queries: {missing} names no vectors" in ended.err


def test_a_damaged_file_in_the_store_is_named_by_its_url(case: Case) -> None:
    case.store.write("in/vectors/torn.parquet", b"PAR1 and nothing more")
    torn = f"{case.store.url}/in/vectors/torn.parquet"
    ended = case.mine("torn", "--set", f"student.vectors.queries={torn}")
    assert ended.code == 3
    assert f"{torn} is not Parquet that can be read" in ended.err
    assert "negmine-mirror" not in ended.err


@pytest.mark.long
def test_workers_on_another_machine_place_vectors_from_the_store(
    case: Case, tmp_path: Path
) -> None:
    if case.store.scheme == "gs":
        pytest.skip("once is enough: a quarter of a minute")
    with job_service(tmp_path, case.store.elsewhere(tmp_path / "workers")) as options:
        runner = Runner.model_validate({"name": "portable", "options": options})
        ended = case.mine("portable", "--", *resolve(runner))
    assert ended.code == 0, ended.err
    assert case.published("portable") == case.expected
    assert (tmp_path / "workers" / "negmine-mirror").is_dir()
