"""A setting chosen by limits: what the sweep's rows allow, and a run that keeps to them."""

import math
from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.load_config import load_config
from negmine.jobs.mining.limits import KEY, Limits
from negmine.jobs.mining.publish import mine
from negmine.jobs.sweep.run import sweep
from negmine.schemas.errors import ConfigError
from tests.jobs.collections import document, static_student, write_config
from tests.transforms.input_files import write_beir


def row(value: float, leak: float | None, gain: float | None, hard: int = 0) -> dict[str, Any]:
    return {
        "settings": {KEY: value},
        "leak": leak,
        "leak_low": leak,
        "leak_high": leak,
        "hidden": 50,
        "expected_gain": gain,
        "hard_negatives": hard,
    }


ROWS = [row(0.3, 0.2, 0.9), row(0.5, 0.05, 1.1), row(0.7, 0.02, 1.0), row(0.9, 0.0, 0.4)]


@pytest.mark.parametrize(
    ("limits", "chosen"),
    [
        (Limits(max_leak=0.5), 0.5),
        (Limits(max_leak=0.02), 0.7),
        (Limits(max_leak=0.0), 0.9),
        (Limits(min_gain=0.85), 0.7),
        (Limits(min_gain=1.05), 0.5),
        (Limits(max_leak=0.1, min_gain=1.05), 0.5),
    ],
)
def test_within_the_limits_the_best_is_chosen(limits: Limits, chosen: float) -> None:
    assert limits.best(ROWS)["settings"] == {KEY: chosen}


def test_without_gains_the_most_hard_negatives_are_chosen() -> None:
    rows = [row(0.3, 0.01, None, 90), row(0.5, 0.01, None, 80), row(0.7, 0.3, None, 100)]
    assert Limits(max_leak=0.02).best(rows)["settings"] == {KEY: 0.3}


@pytest.mark.parametrize(
    ("limits", "rows", "words"),
    [
        (Limits(max_leak=0.01), ROWS[:2], "no setting keeps to it; .*= 0.5, leak 0.0500"),
        (Limits(min_gain=2), ROWS, "no setting reaches it; .*= 0.5, .*expected gain 1.100"),
        (Limits(max_leak=0.03, min_gain=1.1), ROWS, "and a leak of at most 0.03"),
        (Limits(max_leak=0.1), [row(0.5, None, 1.0)], "no query has two known positives"),
        (Limits(min_gain=0.1), [row(0.5, 0.1, None)], "scores all candidates"),
    ],
)
def test_what_cannot_be_kept_to_is_said_with_the_nearest(
    limits: Limits, rows: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        limits.best(rows)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("limits")
    texts = [{"_id": f"d{i}", "text": document(i)} for i in range(60)]
    asked = [{"_id": f"q{i}", "text": " ".join(document(i).split()[:3])} for i in range(20)]
    qrels = [(f"q{i}", f"d{j}", 1) for i in range(20) for j in (i, i + 20, i + 40)]
    write_beir(base / "collection", texts, asked, qrels)
    write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(base / "collection")},
        student={"model": str(static_student(base / "student")), "device": "cpu"},
        judge={"kind": "bi_encoder", "model": str(static_student(base / "judge", trained=3))},
        output={"path": str(base / "out")},
    )
    return base


def test_a_run_keeps_to_its_limit_and_says_what_was_chosen(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = mine(load_config(str(base / "run.yaml")), limits=Limits(max_leak=0.1))
    assert "chosen by the sweep: " in capsys.readouterr().err
    (policy,) = [p for p in run.manifest["policies"] if KEY.partition(".")[0] in p]
    value = policy[KEY.partition(".")[0]]["positives_above"]
    (found,) = sweep(run, [{KEY: value}])
    assert found["leak"] <= 0.1 and not math.isnan(found["expected_gain"])


def test_a_leak_of_few_is_not_taken_for_sure(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine(load_config(str(base / "run.yaml")), limits=Limits(max_leak=0.01))
    assert "reaches beyond 0.01: 20 hidden positives are too few" in capsys.readouterr().err


def test_a_config_without_the_policy_is_refused(base: Path) -> None:
    config = load_config(str(base / "run.yaml"), ["judge={kind: none}"])
    with pytest.raises(ConfigError, match="it needs a judge"):
        mine(config, limits=Limits(max_leak=0.1))
