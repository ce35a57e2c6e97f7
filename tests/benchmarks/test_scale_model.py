"""The model of runs that nobody has made yet: rates, the plan, the simulation, what breaks."""

from dataclasses import replace

import pytest

from benchmarks._scale_plan import (
    HOUR,
    Setting,
    breaks,
    cost,
    data_sets,
    graph_bytes,
    hours,
    simulated,
    steps,
)
from benchmarks._scale_rates import GROWS, WHOLE, Rate, Rates, errors, fit
from benchmarks.scale_model import RATES
from benchmarks.scaling import Cost
from negmine.jobs.runner.graph_rules import MOST_GRAPH

PLANTED = {
    step: Rate(0.5, **dict.fromkeys(grows, 1e-8 if "pairs" in grows else 1e-4))
    for step, grows in GROWS.items()
}
SIZES = ((20_000, 500), (40_000, 500), (20_000, 1_000), (40_000, 1_000))


def ran(documents: int, queries: int) -> Cost:
    cpu = {step: rate.seconds(documents, queries) for step, rate in PLANTED.items()}
    return Cost(documents, queries, cpu, cpu, {})


def test_planted_rates_are_found_again_and_foretell_a_larger_run() -> None:
    rates = fit([ran(*size) for size in SIZES])
    found = errors(rates, ran(80_000, 2_000))
    assert set(found) == {*GROWS, WHOLE}
    assert max(abs(error) for *_, error in found.values()) < 0.01


@pytest.fixture(scope="module")
def rates() -> Rates:
    return Rates.load(RATES)


def test_the_rates_that_are_kept_say_where_they_are_from(rates: Rates) -> None:
    assert set(rates.steps) == set(GROWS)
    assert "cores" in rates.measured
    again = replace(rates)
    assert again == rates


@pytest.mark.parametrize("slots", [1, 7, 100])
def test_tasks_are_done_in_no_less_than_the_ideal_and_not_much_more(slots: int) -> None:
    ideal = 10_000 * 3.0 / slots
    assert ideal * 0.98 < simulated(10_000, slots, 3.0) < ideal * 1.05 + 20
    assert simulated(1, slots, 3.0) > 1, "one task is one process"


def test_more_workers_do_not_help_where_there_are_no_more_tasks() -> None:
    assert simulated(50, 50, 10.0) == simulated(50, 500, 10.0)


BILLION = Setting(10**9, 10**7)


def test_a_billion_documents(rates: Rates) -> None:
    found = {step.name: step for step in steps(BILLION, rates, 44)}
    vectors = 4 * 384 * 10**9
    assert found["retrieve dense, flat"].local == vectors
    assert found["retrieve dense, ivfpq"].seconds < found["retrieve dense, flat"].seconds / 8
    assert BILLION.blocks == 19_532
    assert BILLION.shards == 239
    held, files = data_sets(BILLION, rates)["partial results of a source, until merged"]
    assert held == 12 * 239 * 10**7 * 100
    assert files == 239 * 19_532
    for step in found.values():
        assert cost(step, BILLION) > 0
        assert hours(step, BILLION) >= BILLION.job_start / HOUR


def test_what_breaks_is_said_the_worst_first(rates: Rates) -> None:
    small = replace(BILLION, disk=1e12, memory=16e9, shard=262_144)
    found = breaks(small, list(steps(small, rates, 44)), {"retrieve": 10**9})
    text = "\n".join(found)
    assert "retrieve: a graph of 1,000,000,000 bytes" in found[0]
    assert "retrieve dense, flat: each worker copies 1.5 TB" in text
    assert "are a file each" in text
    assert breaks(Setting(10**6, 10**4), list(steps(Setting(10**6, 10**4), rates, 44)), {}) == []


def test_the_graphs_of_a_billion_documents_are_taken_by_dataflow() -> None:
    """Built as they are submitted, with shards of a quarter of a million documents."""
    found = graph_bytes(replace(BILLION, shard=262_144, queries=10**6))
    assert all(0 < size < MOST_GRAPH for size in found.values())
