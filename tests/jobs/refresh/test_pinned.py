"""A judge that took the student's model keeps that of the parent when the student is another."""

from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.refresh.pinned import pinned
from tests.jobs.collections import negmine, small_run, token_student
from tests.jobs.refresh.rounds import done, ledger, manifest

SECTION = {"max_length": None, "device": "auto", "trust_remote_code": False}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs `one`, judged by the student's own token vectors, and `two`, its refresh."""
    base = tmp_path_factory.mktemp("pinned")
    before, after = (token_student(base / name, seed) for name, seed in (("a", 1), ("b", 2)))
    student = {"model": str(before), "device": "cpu", "max_length": 16, "query_prompt": "sola "}
    judge = {"kind": "late_interaction"}
    config = small_run(base, student=student, judge=judge)
    done("mine", config, "--set", "output.run_id=one")
    out = str(base / "out")
    done("refresh", out, "--student", str(after), "--set", "output.run_id=two")
    return base


def test_the_judge_is_the_parents_student_prompts_included(base: Path) -> None:
    one, two = (manifest(base / "out" / "runs" / name) for name in ("one", "two"))
    assert two["judge"] == one["judge"]
    assert two["models"]["judge"] == one["models"]["student"] != two["models"]["student"]
    judge = two["config"]["judge"]
    assert (judge["model"], judge["max_length"], judge["query_prompt"]) == ("a", 16, "sola ")


def test_pairs_of_both_runs_have_the_same_scores(base: Path) -> None:
    one, two = (ledger(base / "out" / "runs" / name) for name in ("one", "two"))
    both = one.keys() & two.keys()
    assert len(both) > 100
    assert [one[pair]["judge_score"] for pair in both] == [two[p]["judge_score"] for p in both]
    assert any(one[pair]["dense_score"] != two[pair]["dense_score"] for pair in both)


def test_of_fusion_it_is_said_what_follows_the_student(base: Path) -> None:
    out = f"{base / 'out'}:one"
    fused = ("--set", "judge={kind: fusion, model: %s}" % (base / "a"))
    ended = done("refresh", out, "--student", str(base / "b"), *fused)
    assert "remark: Judge fusion is pinned in its late interaction alone" in ended.err


def test_new_weights_in_the_folder_of_the_old_ones_are_no_pinned_judge(
    base: Path, tmp_path: Path
) -> None:
    import shutil

    model = Path(shutil.copytree(base / "a", tmp_path / "a"))
    student = {"model": str(model), "device": "cpu"}
    config = small_run(tmp_path, student=student, judge={"kind": "late_interaction"})
    done("mine", config)
    shutil.copyfile(base / "b" / "model.safetensors", model / "model.safetensors")
    ended = negmine("refresh", str(tmp_path / "out"), "--student", str(model))
    assert ended.code == 2
    assert "has other weights than when run" in ended.err and "--judge checkpoint" in ended.err
    named = ("--set", f"judge.model={base / 'a'}")
    done("refresh", str(tmp_path / "out"), "--student", str(model), *named)


@pytest.mark.parametrize("kind", ["fusion", "late_interaction"])
def test_every_judge_that_took_the_students_model_names_it(kind: str) -> None:
    student = {"model": "old", "query_prompt": "q: ", "max_length": 64, "device": "cpu"}
    taken = {**SECTION, "kind": kind, "model": None}
    own = {**SECTION, "kind": kind, "model": "own", "max_length": 32}
    other: dict[str, Any] = {"kind": "cross_encoder", "model": None}
    made = pinned({"kind": "vote", "judges": [taken, own, other], "agree": 2}, student)
    assert made["judges"][0]["model"] == "old"
    assert made["judges"][0]["query_prompt"] == "q: " and made["judges"][0]["max_length"] == 64
    assert made["judges"][1:] == [own, other]
    given = pinned({"kind": "precomputed", "path": "s", "fallback": taken}, student)
    assert given["fallback"]["model"] == "old"
