"""Configs: defaults, overrides, and mistakes answered in one sentence."""

from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.load_config import load_config
from negmine.schemas.config.policy_list import PROMISES
from negmine.schemas.errors import ConfigError

PRESETS = sorted((Path(__file__).parents[2] / "jobs" / "presets").glob("*.yaml"))


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.name)
def test_every_preset_is_valid(preset: Path) -> None:
    assert load_config(str(preset)).tiers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("input: {format: stdlib, limt: 5}", "input.limt: unknown key; did you mean limit"),
        ("input: {format: stdlib}\njudg: {}", "judg: unknown key; did you mean judge"),
        ("input: {format: stdlib}\njudge: {knd: none}", "did you mean kind"),
        ("input: {format: stdlib}\ntiers: {hard: {qota: 2}}", "did you mean quota"),
        ("input: {format: beri, path: x}", "'beri'"),
        ("input: {format: beir}", "input.path: missing"),
        ("student: {}", "input: missing"),
        ("input: {format: stdlib}\nseed: minus", "seed: .*'minus'"),
        ("input: {format: stdlib}\npolicies: [{margin: {}}]", "unknown policy 'margin'"),
        (
            "input: {format: stdlib}\npolicies: [{judge_relative_margin: {keep: 0.9}}]",
            r"judge_relative_margin.keep.*known keys: keep_below, against",
        ),
        (
            "input: {format: stdlib}\njudge: {kind: none}\npolicies: [judge_relative_margin]",
            "judge.kind is none",
        ),
        (
            "input: {format: stdlib}\nsources: {random: null}\n"
            "tiers: {r: {quota: 1, source: random}}",
            "source random, and it is off",
        ),
        ("input: {format: stdlib}\ntiers: {hard: {quota: 0}}", "nothing would be mined"),
        ("input: {format: stdlib}\noutput: {run_id: ../up}", "output.run_id"),
        ("[1, 2]", "expected keys"),
        ("input: [", "is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, text))


def test_a_missing_file_names_the_presets() -> None:
    with pytest.raises(ConfigError, match=r"negmine mine stdlib; there are beir, .*stdlib"):
        load_config("nowhere.yaml")


def test_set_overrides_by_dotted_key_and_by_policy_name(tmp_path: Path) -> None:
    path = write(tmp_path, "input: {format: stdlib}")
    settings = [
        "seed=7",
        "policies.judge_calibrated_threshold.positives_above=0.9",
        "tiers.hard.quota=7",
    ]
    config = load_config(path, settings, output="elsewhere")
    assert config.seed == 7
    assert config.output.path == "elsewhere"
    assert [tier.quota for tier in config.tiers.values()] == [7, 0]
    assert config.tiers["hard"].min_ratio == 0.8
    found = {p.name: p.parameters for p in config.policies or ()}
    assert list(found)[-2:] == ["judge_calibrated_threshold", "judge_relative_margin"]
    assert found["judge_calibrated_threshold"].positives_above == 0.9


@pytest.mark.parametrize("setting", ["seed", "=3", "policies.nothing.x=1", "seed.deeper=1"])
def test_a_set_that_cannot_be_read_is_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigError):
        load_config(write(tmp_path, "input: {format: stdlib}\nseed: 1"), [setting])


@pytest.mark.parametrize("key", ["tiers.hard.quota=3", "policies.near_duplicate_of_positive=off"])
@pytest.mark.parametrize(
    ("judge", "message"),
    [
        ("{kind: typo}", "'typo'"),
        ("{kind: none, model: x}", "none has no key model"),
        ("3", "judge"),
    ],
)
def test_a_mistake_in_the_judge_is_named_where_defaults_are_set_beside_it(
    tmp_path: Path, judge: str, message: str, key: str
) -> None:
    path = write(tmp_path, f"input: {{format: stdlib}}\njudge: {judge}")
    with pytest.raises(ConfigError, match=message):
        load_config(path, [key])


LISTED = "input: {format: stdlib}\npolicies: [judge_relative_margin]"
DEFAULTS = "input: {format: stdlib}"
NAMED = "input: {format: stdlib}\npolicies: {near_duplicate_of_negative: off}"


def policies(path: str, *settings: str) -> dict[str, Any]:
    return {p.name: p.parameters for p in load_config(path, settings).policies or ()}


@pytest.mark.parametrize("text", [LISTED, DEFAULTS, NAMED])
def test_a_promise_can_be_set_where_the_file_does_not_name_it(tmp_path: Path, text: str) -> None:
    found = policies(write(tmp_path, text), "policies.query_itself.jaccard=0.5")
    assert list(found)[:4] == list(PROMISES)
    assert found["query_itself"].jaccard == 0.5


@pytest.mark.parametrize(("text", "more"), [(DEFAULTS, 5), (NAMED, 4)])
def test_a_policy_is_switched_off_by_its_name(tmp_path: Path, text: str, more: int) -> None:
    path = write(tmp_path, text)
    assert len(policies(path)) == len(PROMISES) + more
    found = policies(path, "policies.near_duplicate_of_positive=off")
    assert "near_duplicate_of_positive" not in found
    assert len(found) == len(PROMISES) + more - 1


@pytest.mark.parametrize("text", [LISTED, DEFAULTS, NAMED])
@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_is_not_switched_off(tmp_path: Path, text: str, promise: str) -> None:
    with pytest.raises(ConfigError, match=rf"policies.{promise} cannot be switched off"):
        load_config(write(tmp_path, text), [f"policies.{promise}=off"])


def test_a_resolved_config_is_a_valid_config(tmp_path: Path) -> None:
    import yaml

    first = load_config(write(tmp_path, "input: {format: stdlib}"))
    again = load_config(write(tmp_path, yaml.safe_dump(first.model_dump(mode="json"))))
    assert again == first
