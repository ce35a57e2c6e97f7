"""The whole benchmark on a tiny collection: mined, trained, cut and gone on, shown."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.gain.collection import read_collection
from benchmarks.gain.jobs import read_lines
from benchmarks.gain.negative_sets import Ledger, baselines, from_file, published
from benchmarks.gain.table import gains, spearman
from benchmarks.training_gain import main
from tests.jobs.collections import static_student, write_collection

ASKED = ("--division", "folds", "--test", "train", "--folds", "2", "--epochs", "4", "--batch", "2")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("gain")
    folder = write_collection(base / "tiny")
    student = static_student(base / "student")
    out = base / "out"
    out.mkdir()
    Path(out / "static").symlink_to(student)
    arguments = ["run", str(folder), "--out", str(out), *ASKED, "--set", "judge={kind: none}"]
    theirs = base / "theirs.jsonl"
    rows = [{"query_id": f"q{i:04}", "negative_ids": ["d0001", "d0002"]} for i in range(12)]
    theirs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    more = ["--ours", "no band:tiers={hard: {quota: 5}}", "--file", f"theirs={theirs}"]
    assert main([*arguments, *more]) == 0
    return out


def lines_of(out: Path) -> Path:
    (file,) = out.glob("*.jsonl")
    return file


def run_of(out: Path) -> Path:
    made = json.loads(next(out.glob("runs/*/*/made.json")).read_text())
    return Path(next(iter(made.values())))


def test_every_set_is_trained_on_every_fold(done: Path) -> None:
    lines = list(read_lines(lines_of(done)))
    jobs = {(line["set"], line["fold"]) for line in lines}
    names = {name for name, _ in jobs}
    assert len(jobs) == len(lines) == 2 * len(names)
    assert {"untrained", "in-batch only", "st .05", "ours", "no band", "theirs"} <= names


def test_a_cut_file_goes_on_where_it_was_and_ends_the_same(done: Path) -> None:
    file = lines_of(done)
    whole = file.read_text()
    lines = whole.splitlines()
    file.write_text("\n".join(lines[:5]) + "\n" + lines[5][:30])
    folder = done.parent / "tiny"
    more = ["--ours", "no band:tiers={hard: {quota: 5}}", "--file",
            f"theirs={done.parent / 'theirs.jsonl'}"]  # fmt: skip
    assert main(["run", str(folder), "--out", str(done), *ASKED,
                 "--set", "judge={kind: none}", *more]) == 0  # fmt: skip

    def values(text: str) -> dict[tuple[str, int], object]:
        rows = []
        for line in text.splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        return {(row["set"], row["fold"]): row["ndcg"] for row in rows}

    assert values(file.read_text()) == values(whole)


def test_a_set_made_anew_under_its_name_is_trained_anew_and_shown_alone(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines_of(done)
    before = list(read_lines(file))
    theirs = done.parent / "others.jsonl"
    rows = [{"query_id": f"q{i:04}", "negative_ids": ["d0003", "d0004"]} for i in range(12)]
    theirs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ["--set", "judge={kind: none}", "--file", f"theirs={theirs}", "--sets", "st .05,theirs"]
    assert main(["run", str(done.parent / "tiny"), "--out", str(done), *ASKED, *asked]) == 0
    assert "2 jobs run" in capsys.readouterr().out
    added = list(read_lines(file))[len(before) :]
    assert {line["set"] for line in added} == {"theirs"}
    assert {line["made_of"] for line in added}.isdisjoint(line["made_of"] for line in before)
    assert main(["table", str(file)]) == 0
    shown = [row for row in capsys.readouterr().out.splitlines() if row.startswith("| theirs")]
    old = {line["made_of"] for line in before if line["set"] == "theirs"}
    kept = [line for line in read_lines(file) if line["made_of"] not in old]
    assert f"{gains(kept, 'st .05')['tiny', 'theirs'].difference:+.3f}" in shown[0]


def test_other_known_positives_are_mined_in_another_folder(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "tiny")
    few, more = (
        read_collection(folder, "folds", tmp_path, test="train", most_queries=most)
        for most in (4, 6)
    )
    assert few.mined != more.mined
    assert read_collection(folder, "folds", tmp_path, test="train", most_queries=4) == few


def test_the_baselines_are_their_rules_over_the_ledger(done: Path) -> None:
    ledger = Ledger(run_of(done))
    found = baselines(ledger, 3)
    for query, documents in found["st .05"].items():
        rows = [
            (rank, document)
            for q, document, rank, score, positive in zip(
                *(
                    ledger[name]
                    for name in (
                        "query_id", "doc_id", "dense_rank", "dense_score", "positive_dense_score"
                    )
                ),
                strict=True,
            )
            if q == query and rank > 0 and score <= positive - 0.05 * abs(positive)
        ]  # fmt: skip
        assert documents == [document for _, document in sorted(rows)[:3]]
    assert "nv" not in found


def test_our_set_is_what_was_published_hardest_first(done: Path) -> None:
    import duckdb

    run = run_of(done)
    sql = f"FROM read_parquet('{run}/negatives/**/*.parquet', hive_partitioning = true)"
    rows = duckdb.connect().sql(f"SELECT query_id, negative_id, rank {sql} ORDER BY query_id, rank")
    expected: dict[str, list[str]] = {}
    for query, document, _ in rows.fetchall():
        expected.setdefault(query, []).append(document)
    assert published(run) == expected


def test_the_table_pairs_by_query_and_the_plot_is_svg(
    done: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plot = tmp_path / "gain.svg"
    assert main(["table", str(lines_of(done)), "--plot", str(plot)]) == 0
    shown = capsys.readouterr().out
    assert "| ours |" in shown and "st .05" in shown
    assert ET.parse(plot).getroot().tag.endswith("svg")
    lines = list(read_lines(lines_of(done)))
    by_set: dict[str, dict[str, float]] = {}
    for line in lines:
        by_set.setdefault(line["set"], {}).update(line["ndcg"])
    expected = sum(by_set["ours"][q] - by_set["st .05"][q] for q in by_set["ours"]) / len(
        by_set["ours"]
    )
    assert gains(lines, "st .05")["tiny", "ours"].difference == pytest.approx(expected)


def test_an_unknown_baseline_is_named(done: Path) -> None:
    with pytest.raises(SystemExit, match="no set 'nothing' to compare with"):
        main(["table", str(lines_of(done)), "--baseline", "nothing"])


def test_a_file_of_negatives_names_its_bad_line(tmp_path: Path) -> None:
    file = tmp_path / "theirs.jsonl"
    file.write_text('{"query_id": 1, "negative_ids": [2]}\n{"query": 1}\n')
    with pytest.raises(SystemExit, match="line 2: needs query_id and negative_ids"):
        from_file(file)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"query_id": "q0001", "negative_ids": ["d0001", "x9"]}, "'x9' of query 'q0001' is not in"),
        ({"query_id": "other", "negative_ids": ["d0001"]}, "none of its 1 queries is trained with"),
    ],
)
def test_negatives_by_other_identifiers_are_refused(
    done: Path, tmp_path: Path, row: dict[str, object], said: str
) -> None:
    file = tmp_path / "theirs.jsonl"
    file.write_text(json.dumps(row) + "\n")
    before = lines_of(done).read_text()
    asked = ["--set", "judge={kind: none}", "--file", f"theirs={file}"]
    with pytest.raises(SystemExit, match=said):
        main(["run", str(done.parent / "tiny"), "--out", str(done), *ASKED, *asked])
    assert lines_of(done).read_text() == before


def test_spearman_is_of_ranks_and_nan_without_any() -> None:
    assert spearman([1, 2, 3], [10, 20, 15]) == pytest.approx(0.5)
    assert spearman([1, 1, 1], [1, 2, 3]) != spearman([1, 1, 1], [1, 2, 3])
