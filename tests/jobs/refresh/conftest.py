"""Two rounds of a tiny collection, mined once: a run and its refresh."""

from pathlib import Path

import pytest
import yaml

from tests.jobs.collections import cross_encoder, small_run, static_student
from tests.jobs.refresh.rounds import Rounds, done


@pytest.fixture(scope="session")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    """Runs `one`, judged by a cross-encoder, and `two`, its refresh with a trained student."""
    base = tmp_path_factory.mktemp("rounds")
    judge = {
        "kind": "cross_encoder",
        "model": str(cross_encoder(base / "reranker")),
        "device": "cpu",
    }
    # The order of tiers is not that of their names, by which JSON would sort them.
    tiers = {
        "hard": {"quota": 3, "min_ratio": 0.6},
        "easy": {"quota": 3, "max_ratio": 0.6},
        "random": {"quota": 2, "source": "random"},
    }
    sources = {"bm25": {"depth": 15}, "dense": {"depth": 20}, "random": {"count": 6}}
    config = small_run(base, judge=judge, sources=sources)
    values = yaml.safe_load(Path(config).read_text()) | {"tiers": tiers}
    Path(config).write_text(yaml.safe_dump(values, sort_keys=False))
    new, other = (static_student(base / f"new-{n}", trained=n) for n in (11, 12))
    found = Rounds(base, config, new, other)
    done("mine", config, "--set", "output.run_id=one")
    found.refresh("two", "--student", str(new))
    return found


@pytest.fixture
def output(rounds: Rounds) -> Path:
    return rounds.output
