"""A run in a store is refreshed there: the same bytes as on this machine."""

from pathlib import Path

import pytest

from negmine.transforms import storage
from negmine.transforms.storage.places import local_path
from tests.jobs.collections import digest
from tests.jobs.refresh.rounds import Rounds, done, manifest
from tests.transforms.storage.servers import running


@pytest.mark.slow
def test_a_run_in_a_store_is_refreshed_there(rounds: Rounds, tmp_path: Path) -> None:
    with running("s3", tmp_path / "cache") as store:
        output = f"{store.url}/out"
        done("mine", rounds.config, "--output", output, "--set", "output.run_id=one")
        student = ("--student", str(rounds.new))
        done("refresh", output, *student, "--set", "output.run_id=two")
        run = storage.fetch_tree(local_path(f"{output}/runs/two"))
        for name in ("negatives", "ledger", "refreshed"):
            assert digest(run, name) == digest(rounds.run("two"), name)
        assert manifest(run)["drift"] == manifest(rounds.run("two"))["drift"]
        assert any(name.startswith("refreshed/") for name in manifest(run)["parts"])
        assert "Parent: run one" in done("show", output).out
