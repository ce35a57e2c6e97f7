"""Two checkpoints, each trained without one half of the queries: which of them meets which."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from negmine.transforms.kernels.folds import folds_of_texts
from tests.jobs.collections import digest, negmine
from tests.jobs.refresh.rounds import Rounds, cosines, done, ledger, manifest, texts

QUERIES = [f"q{at:04}" for at in range(12)]


@pytest.fixture(scope="module")
def crossed(rounds: Rounds) -> Path:
    """The run `one` refreshed with both students, which judge too."""
    students = ("--student", str(rounds.new), "--student", str(rounds.other))
    rounds.refresh("crossed", *students, "--judge", "checkpoint")
    return rounds.run("crossed")


@pytest.fixture(scope="module")
def own(rounds: Rounds) -> dict[tuple[str, str], float]:
    """Cosines of each query under the model that did not see it: the first leaves out fold 0."""
    known, models = texts(), [cosines(rounds.new), cosines(rounds.other)]
    fold = dict(zip(QUERIES, folds_of_texts([known[q] for q in QUERIES], 2), strict=True))
    assert set(fold.values()) == {0, 1}
    return {pair: models[fold[pair[0]]][pair] for pair in models[0]}


def test_each_query_is_judged_by_the_model_that_did_not_see_it(
    crossed: Path, own: dict[tuple[str, str], float]
) -> None:
    judged = ledger(crossed)
    assert judged
    for pair, row in judged.items():
        assert row["judge_score"] == pytest.approx(own[pair], abs=1e-6)


def test_each_query_is_searched_by_the_model_that_did_not_see_it(
    crossed: Path, own: dict[tuple[str, str], float]
) -> None:
    judged = ledger(crossed)
    for query in QUERIES:
        mine = {d: row for (q, d), row in judged.items() if q == query}
        for document, row in mine.items():
            assert row["dense_score"] == pytest.approx(own[query, document], abs=1e-6)
        ranked = {r["dense_rank"]: d for d, r in mine.items() if r["dense_rank"] is not None}
        best = sorted((d for q, d in own if q == query), key=lambda d: -own[query, d])[:20]
        assert [ranked[rank] for rank in range(1, 21)] == best


def test_the_manifest_names_every_model(crossed: Path, rounds: Rounds) -> None:
    found = manifest(crossed)
    new = manifest(rounds.run("two"))["models"]["student"]
    models = found["models"]
    assert models["judge_fold_1"] == models["student_fold_1"] == new
    assert models["judge_fold_2"] == models["student_fold_2"] != new
    assert found["config"]["student"]["models"] == ["new-11", "new-12"]
    assert found["judge"]["kind"] == "bi_encoder"
    assert "new-11, new-12, one a fold" in done("show", str(crossed)).out


def test_a_single_judge_scores_every_query(rounds: Rounds) -> None:
    rounds.refresh("judged", "--student", str(rounds.new), "--judge", "checkpoint")
    judged, expected = ledger(rounds.run("judged")), cosines(rounds.new)
    for pair, row in judged.items():
        assert row["judge_score"] == pytest.approx(row["dense_score"], abs=1e-6)
        assert row["judge_score"] == pytest.approx(expected[pair], abs=1e-6)


def test_fold_judges_beside_a_student_of_all_queries(
    rounds: Rounds, crossed: Path, own: dict[tuple[str, str], float]
) -> None:
    judge = f"judge={{kind: bi_encoder, models: [{rounds.new}, {rounds.other}]}}"
    rounds.refresh("mixed", "--student", str(rounds.new), "--set", judge)
    for pair, row in ledger(rounds.run("mixed")).items():
        assert row["judge_score"] == pytest.approx(own[pair], abs=1e-6)


def test_blocks_change_nothing(rounds: Rounds, crossed: Path, tmp_path: Path) -> None:
    students = ("--student", str(rounds.new), "--student", str(rounds.other))
    settings = (f"output.workdir={tmp_path / 'work'}", "runner.block_size=5")
    named = [word for setting in settings for word in ("--set", setting)]
    where = ("--judge", "checkpoint", "--output", str(tmp_path / "out"))
    rounds.refresh("crossed", *students, *where, *named)
    for name in ("negatives", "ledger", "refreshed"):
        assert digest(tmp_path / "out" / "runs" / "crossed", name) == digest(crossed, name)


def test_a_trainer_gets_the_queries_of_all_folds_but_one(rounds: Rounds, tmp_path: Path) -> None:
    known = texts()
    fold = folds_of_texts([known[q] for q in QUERIES], 2)
    anchors = []
    for number in (1, 2):
        file = tmp_path / f"{number}.parquet"
        command = ("export", f"{rounds.output}:two", "-f", "triplet", "-o", str(file))
        ended = done(*command, "--without-fold", f"{number}/2")
        left = int((fold == number - 1).sum())
        assert f"{left} of the fold that is left out" in ended.out
        anchors.append(set(pq.read_table(file)["anchor"].to_pylist()))
        outside = np.flatnonzero(fold != number - 1)
        assert anchors[-1] == {known[QUERIES[at]] for at in outside}
    assert not anchors[0] & anchors[1]


def test_folds_that_cannot_be_are_refused(rounds: Rounds, tmp_path: Path) -> None:
    for text in ("0/2", "3/2", "1/1", "1", "1/1000"):
        file = str(tmp_path / "x.parquet")
        command = ("export", str(rounds.output), "-f", "triplet", "-o", file)
        ended = negmine(*command, "--without-fold", text)
        assert ended.code == 2 and "write I/N" in ended.err and repr(text) in ended.err


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("judge={kind: bi_encoder}", "needs model, or two or more models"),
        ("judge={kind: bi_encoder, models: [a]}", "needs model, or two or more models"),
        ("judge={kind: bi_encoder, model: a, models: [a, b]}", "not both"),
        ("student.models=[a]", "needs two or more"),
        ("student={models: [a, b], normalize: false}", "compares cosines"),
        ("judge={kind: fusion}", "student.models stands in for it"),
    ],
)
def test_settings_that_cannot_be_are_refused(rounds: Rounds, setting: str, words: str) -> None:
    models = "student.models=[a, b]" if "fusion" in setting else "seed=1"
    ended = negmine("mine", rounds.config, "--set", models, "--set", setting)
    assert ended.code == 2 and words in ended.err and "Traceback" not in ended.err


@pytest.mark.slow
def test_plan_knows_the_models_of_all_folds(rounds: Rounds, tmp_path: Path) -> None:
    models = f"[{rounds.new}, {rounds.other}]"
    settings = (f"student.models={models}", f"judge={{kind: bi_encoder, models: {models}}}")
    named = [word for setting in settings for word in ("--set", setting)]
    told = done("plan", rounds.config, "--output", str(tmp_path), *named).out
    assert told.count("embed documents") == 2 and told.count("join documents") == 1
    assert "judge bi_encoder" in told
