"""A run from Python: mined from objects, its data sets, exports, answers, and errors in words."""

import traceback
from pathlib import Path

import datasets
import pandas as pd
import pyarrow as pa
import pytest

import negmine
from negmine.jobs.api.given import GIVEN, place_table
from tests.jobs.collections import cross_encoder, document, static_student

PAIRS = [(" ".join(document(i).split()[:2]), document(i)) for i in range(12)]
POOL = [document(i) for i in range(12, 60)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a student, and of a run of pairs in a DataFrame."""
    base = tmp_path_factory.mktemp("api")
    static_student(base / "student")
    return base


@pytest.fixture(scope="module")
def run(base: Path) -> negmine.MinedRun:
    return negmine.mine(
        pairs=pd.DataFrame(PAIRS, columns=["query", "positive"]),
        documents=POOL,
        student=str(base / "student"),
        judge="none",
        negatives=3,
        output=base / "out",
        quiet=True,
        seed=7,
    )


def test_a_data_frame_of_pairs_gives_negatives_as_a_data_frame(run: negmine.MinedRun) -> None:
    negatives = run.negatives.df()
    assert len(negatives) == 3 * len(PAIRS)
    assert set(negatives["query"]) == {query for query, _ in PAIRS}
    assert run.manifest["config"]["seed"] == 7
    assert run.ledger.filter("verdict = 'known_positive'").aggregate("count(*)").fetchall() == [
        (len(PAIRS),)
    ]


def test_two_relations_are_read_side_by_side(run: negmine.MinedRun) -> None:
    negatives, sets = run.negatives, run.sets
    assert run.sql("SELECT count(*) FROM positives").fetchall() == [(len(PAIRS),)]
    assert len(negatives.df()) == 3 * len(sets.df())


def test_what_would_write_is_refused(run: negmine.MinedRun, tmp_path: Path) -> None:
    with pytest.raises(negmine.NegmineError, match="only statements that read"):
        run.sql(f"COPY negatives TO '{tmp_path / 'x.csv'}'")


def test_a_data_set_of_every_negative(run: negmine.MinedRun) -> None:
    made = run.to_dataset("triplet")
    assert isinstance(made, datasets.Dataset)
    assert made.column_names == ["anchor", "positive", "negative"]
    assert sorted(made["negative"]) == sorted(run.negatives.df()["negative"])
    assert run.to_dataset("n_tuple", n=2).column_names[-1] == "negative_2"


def test_an_export_is_for_a_loss(run: negmine.MinedRun, tmp_path: Path) -> None:
    made = run.export(use="MultipleNegativesRankingLoss", output=f"{tmp_path}/")
    assert made.parent == tmp_path and len(pd.read_parquet(made)) == len(PAIRS)
    with pytest.raises(negmine.NegmineError, match="split makes several files"):
        run.to_dataset("triplet", split="val=0.2")


def test_epochs_are_read_back_one_by_one(run: negmine.MinedRun, tmp_path: Path) -> None:
    folder = run.export("triplet", str(tmp_path / "epochs"), epochs=2, n=1)
    assert [len(epoch) for epoch in negmine.Epochs(folder)] == [len(PAIRS)] * 2


def test_another_option_is_refused_by_name(run: negmine.MinedRun) -> None:
    with pytest.raises(negmine.NegmineError, match="no option width; there are tiers"):
        run.to_dataset("n_tuple", width=2)


def test_why_tells_the_story_of_a_candidate(run: negmine.MinedRun) -> None:
    first = run.negatives.df().iloc[0]
    told = run.why(first.query_id, first.negative_id)
    assert first.negative_id in str(told) and "<pre>" in told._repr_html_()
    with pytest.raises(negmine.NegmineError, match="no query 'nobody'"):
        run.why("nobody")


def test_a_sweep_says_what_other_settings_give(run: negmine.MinedRun) -> None:
    rows = run.sweep({"tiers.hard.quota": [1, 3]})
    assert [row["tiers"]["hard"] for row in rows] == [len(PAIRS), 3 * len(PAIRS)]
    with pytest.raises(negmine.NegmineError, match="a list of its values"):
        run.sweep({"tiers.hard.quota": "3"})  # type: ignore[dict-item]


def test_the_report_is_shown_in_a_notebook(run: negmine.MinedRun) -> None:
    page = run.report()
    assert page.path == run.path / "report.html"
    assert page._repr_html_().startswith("<iframe srcdoc=")


def test_a_run_is_opened_again(run: negmine.MinedRun) -> None:
    again = negmine.open_run(run.output)
    assert again.summary == run.summary and again.run_id == run.run_id


def test_a_refresh_gives_a_run_of_the_new_student(run: negmine.MinedRun, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    trained = SentenceTransformer(str(static_student(tmp_path / "s", trained=1)), device="cpu")
    again = run.refresh(trained, output=str(tmp_path / "out"), quiet=True)
    assert again.manifest["parent"] == run.run_id


def test_loaded_models_give_what_their_folders_give(
    run: negmine.MinedRun, base: Path, tmp_path: Path
) -> None:
    from sentence_transformers import CrossEncoder, SentenceTransformer

    judge = CrossEncoder(str(cross_encoder(tmp_path / "judge")), device="cpu")
    made = negmine.mine(
        pairs=PAIRS,
        documents=POOL,
        student=SentenceTransformer(str(base / "student"), device="cpu"),
        judge=judge,
        negatives=3,
        output=tmp_path / "out",
        quiet=True,
        seed=7,
        policies=["near_duplicate_of_positive", "near_duplicate_of_negative"],
    )
    assert made.manifest["config"]["judge"]["kind"] == "cross_encoder"
    theirs, ours = (r.negatives.df()["negative_id"].tolist() for r in (made, run))
    assert theirs == ours
    assert len(list((tmp_path / "out" / GIVEN).glob("model-*"))) == 2


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame(PAIRS, columns=["query", "positive"]),
        pd.DataFrame(PAIRS, columns=["query", "positive"], index=range(5, 17)),
        pa.table({"query": [q for q, _ in PAIRS], "positive": [p for _, p in PAIRS]}),
        datasets.Dataset.from_list([{"query": q, "positive": p} for q, p in PAIRS]),
        [{"query": q, "positive": p} for q, p in PAIRS],
        PAIRS,
    ],
    ids=["pandas", "index", "arrow", "datasets", "dictionaries", "tuples"],
)
def test_tables_of_every_kind_hold_the_same_rows(data: object, tmp_path: Path) -> None:
    file = place_table(data, str(tmp_path), "pairs")  # type: ignore[arg-type]
    assert pd.read_parquet(file).to_dict("list") == {
        "query": [q for q, _ in PAIRS],
        "positive": [p for _, p in PAIRS],
    }


def test_a_key_that_only_later_rows_have_is_a_column(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"query": q, "document": p} for q, p in PAIRS[:2]]
    rows.append({"query": PAIRS[0][0], "document": PAIRS[2][1], "label": 0})
    assert pd.read_parquet(place_table(rows, str(tmp_path), "pairs"))["label"].tolist()[2] == 0


def test_keys_that_are_no_texts_keep_their_values(tmp_path: Path) -> None:
    file = place_table([{0: "a", 1: "b"}], str(tmp_path), "pairs")  # type: ignore[dict-item]
    assert pd.read_parquet(file).to_dict("list") == {"0": ["a"], "1": ["b"]}


def test_an_output_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("negmine.jobs.api.given.os.replace", full)
    with pytest.raises(negmine.NegmineError, match="No space left on device; free space"):
        place_table(PAIRS, str(tmp_path), "pairs")


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame([[1, 2]], columns=["query", "query"]),
        pd.DataFrame({"query": ["a", ["b"]], "positive": ["c", "d"]}),
        pd.Series(["a", "b"]),
        {"query": ["a"], "positive": ["b", "c"]},
    ],
    ids=["twice", "mixed", "series", "uneven"],
)
def test_what_is_no_table_is_one_sentence(data: object, tmp_path: Path) -> None:
    with pytest.raises(negmine.NegmineError, match="cannot be written as a table"):
        place_table(data, str(tmp_path), "pairs")  # type: ignore[arg-type]


def test_a_selection_of_a_data_set_is_its_own_rows(tmp_path: Path) -> None:
    rows = datasets.Dataset.from_list([{"query": q, "positive": p} for q, p in PAIRS])
    file = place_table(rows.select([3, 1]), str(tmp_path), "pairs")
    assert pd.read_parquet(file)["query"].tolist() == [PAIRS[3][0], PAIRS[1][0]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "nothing to mine"),
        ({"pairs": 3}, "int is no table"),
        ({"pairs": []}, "without rows"),
        ({"pairs": [1, 2]}, "the first is int"),
        ({"config": "x.yaml", "pairs": PAIRS}, "not both"),
        ({"documents": POOL, "queries": POOL}, "qrels are missing"),
        ({"pairs": PAIRS, "student": 3}, "not int"),
    ],
)
def test_a_mistake_is_one_sentence_without_our_own_frames(
    arguments: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(negmine.NegmineError, match=words) as caught:
        negmine.mine(**arguments, output=tmp_path / "out", quiet=True)  # type: ignore[arg-type]
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert len(frames) == 2  # this test, and the function that it called
    assert caught.value._render_traceback_() == [f"ConfigError: {caught.value}"]
