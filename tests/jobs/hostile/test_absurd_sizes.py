"""Settings larger than the corpus: memory follows the corpus, and the bytes are the same."""

from pathlib import Path

import pytest

from tests.jobs.collections import digest, negmine, small_run

DOCUMENTS, QUERIES = 60, 12
MOST = {
    "sources.bm25.depth": 1_000_000,
    "sources.dense.depth": 1_000_000,
    "sources.random.count": 1_000_000,
    "tiers.hard.quota": 100_000,
    "runner.block_size": 1_000_000,
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_run(tmp_path_factory.mktemp("sizes"))


def words(settings: dict[str, int]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def test_the_largest_sizes_are_those_of_the_corpus(config: str) -> None:
    fitting = {
        **dict.fromkeys(MOST, DOCUMENTS),
        "runner.block_size": 5,
    }
    for name, settings in (("most", MOST), ("fitting", fitting)):
        ended = negmine("mine", config, "--set", f"output.run_id={name}", *words(settings))
        assert ended.code == 0, ended.err
    runs = Path(config).parent / "out" / "runs"
    assert digest(runs / "most") == digest(runs / "fitting")


def test_plan_takes_them_too(config: str) -> None:
    ended = negmine("plan", config, *words(MOST), "--json")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize("key", MOST)
def test_one_more_is_refused_with_the_limit(config: str, key: str) -> None:
    for value in (MOST[key] + 1, 10**9, 10**30):
        ended = negmine("mine", config, *words({key: value}))
        assert ended.code == 2, ended.err
        assert f"{key}: Input should be less than or equal to {MOST[key]}" in ended.err
        assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [("--k", "1000000000"), ("--queries", "0"), ("--recall", "nan"), ("--recall", "inf")],
)
def test_tune_index_refuses_them_too(config: str, options: tuple[str, str]) -> None:
    ended = negmine("tune-index", config, *options)
    assert ended.code == 2
    assert ended.err.startswith(f"error: {options[0]} ")


@pytest.mark.parametrize("value", ["nan", ".inf", "-.inf", "1e999"])
def test_no_command_takes_what_is_not_finite(config: str, value: str) -> None:
    ended = negmine("mine", config, "--set", f"policies=[{{hub_cap: {{max_queries: {value}}}}}]")
    assert ended.code == 2
    for key in ("tiers.hard.min_ratio", "sampling.temperature", "sources.bm25.k1"):
        ended = negmine("mine", config, "--set", f"{key}={value}")
        assert ended.code == 2, (key, value)
        assert f"{key}: " in ended.err and "is not a finite number" in ended.err
