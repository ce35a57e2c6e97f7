"""`negmine audit` on generated sets: it finds what was planted, and nothing else."""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs.audit.planted import (
    FORMATS,
    HUB,
    audited,
    clean,
    counts,
    name,
    planted,
    query,
    with_hub,
    write,
)
from tests.jobs.collections import document, negmine
from tests.transforms.foreign.sets import Mined, n_tuples, read_jsonl, write_jsonl

SHORT = ("triplet", "msmarco", "automodel")
"""Formats of one row a negative and of texts elsewhere; the others are read in more tests below."""


@pytest.mark.parametrize(
    "format",
    [pytest.param(name, marks=[] if name in SHORT else pytest.mark.long) for name in FORMATS],
)
def test_what_is_planted_is_found_and_fixed_in_every_format(
    format: str, student: Path, tmp_path: Path
) -> None:
    rows, expected = planted()
    path, options = write(tmp_path / "set", format, rows)
    fixed = tmp_path / "fixed" / path.name
    found = audited(student, path, format, tmp_path / "out", *options, "--fix", str(fixed))
    assert counts(found) == Counter(reason for reason, _, _ in expected)
    removed = read_jsonl(fixed.with_name(f"{path.name}.removed.jsonl"))
    defects = {
        (entry["reason"], entry["query"], entry["negative"])
        for entry in removed
        if entry["reason"] != "row_dropped"
    }
    assert defects == expected
    assert found["fixed"][0]["removed"] == len(removed)
    positives = next(f for f in found["findings"] if f["reason"] == "known_positive")
    assert positives["details"] == {"of_the_row": 1, "of_another_row": 1, "judged": 0}
    again = audited(student, fixed, format, tmp_path / "again", *options)
    assert again["clean"]
    assert again["counts"]["negatives"] == found["counts"]["negatives"] - len(removed)


def test_a_positive_of_an_evaluation_query_is_found_and_fixed(
    student: Path, tmp_path: Path
) -> None:
    path, _ = write(tmp_path, "tevatron", clean())
    judged = {"query_id": ["t"], "doc_id": [name(document(35))]}
    pq.write_table(pa.table(judged), tmp_path / "r.parquet")
    pq.write_table(pa.table({"query_id": ["t"], "text": ["tested"]}), tmp_path / "q.parquet")
    options = ("--set", f"input.evaluation_qrels=[{tmp_path}/r.parquet]")
    options += ("--set", f"input.evaluation_queries=[{tmp_path}/q.parquet]")
    fixed = tmp_path / "fixed.jsonl"
    found = audited(
        student, path, "tevatron", tmp_path / "out", *options, "--fix", str(fixed), "--set",
        "policies=[near_duplicate_of_negative]",
    )  # fmt: skip
    assert counts(found) == {"evaluation_document": 4}, "a negative of queries 4, 6, 18 and 22"
    assert found["fixed"][0]["removed"] == 4


def test_a_clean_set_says_so_in_one_line(student: Path, tmp_path: Path) -> None:
    path, _ = write(tmp_path, "flagembedding", clean())
    options = ("--student", str(student), "--judge", "none", "--strict")
    command = ("audit", str(path), "-f", "flagembedding", "--output", str(tmp_path / "out"))
    ended = negmine(*command, *options)
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[0] == "no defects in 160 negatives of 40 queries"
    assert "defect " not in ended.out


def test_strict_ends_with_one_and_the_table_shows_where(student: Path, tmp_path: Path) -> None:
    rows, _ = planted()
    path, _ = write(tmp_path, "flagembedding", rows)
    options = ("--student", str(student), "--judge", "none", "--strict")
    command = ("audit", str(path), "-f", "flagembedding", "--output", str(tmp_path / "out"))
    ended = negmine(*command, *options)
    assert ended.code == 1
    assert "known positive of the query" in ended.out
    assert "row 4:" in ended.out
    assert f"{len(rows) * 4} negatives of 40 queries" in ended.out


def test_a_hub_is_found_by_the_queries_that_share_it(student: Path, tmp_path: Path) -> None:
    path, _ = write(tmp_path, "tevatron", with_hub())
    found = audited(student, path, "tevatron", tmp_path / "out")
    (hub,) = found["hubs"]
    assert (hub["document"], hub["queries"], hub["share"]) == (HUB, 40, 1.0)
    assert not counts(found)
    assert not found["clean"]
    assert not audited(student, path, "tevatron", tmp_path / "out", "--hub-share", "1")["clean"]


def test_the_result_is_a_run_like_any_other(student: Path, tmp_path: Path) -> None:
    rows, expected = planted()
    path, _ = write(tmp_path, "tevatron", rows)
    found = audited(student, path, "tevatron", tmp_path / "out")
    ledger = pq.read_table(Path(found["run"]) / "ledger").to_pylist()
    served = {
        (row["query_id"], row["doc_id"])
        for row in ledger
        if row["is_positive"] and row["sources"] == ["given"]
    }
    assert served == {
        ("id-" + query(at).replace(" ", "_"), "id-" + document(to).replace(" ", "_"))
        for at, to in ((3, 58), (5, 5))
    }
    negatives = pq.read_table(Path(found["run"]) / "negatives").to_pylist()
    assert {row["tier"] for row in negatives} == {"given"}
    per_pair = Counter((row.query, text) for row in rows for text in row.negatives)
    flagged = {(q, text) for reason, q, text in expected if reason != "repeated"}
    assert {(row["query"], row["negative"]) for row in negatives} == per_pair.keys() - flagged
    output = str(tmp_path / "out")
    for command in (
        ("show", output),
        ("why", output, ledger[0]["query_id"], ledger[0]["doc_id"]),
        ("query", output, "SELECT count(*) FROM ledger"),
        ("sweep", output, "--policy", "near_duplicate_of_positive.jaccard=0.5,0.9"),
        ("export", output, "--format", "flagembedding"),
    ):
        ended = negmine(*command)
        assert ended.code == 0, ended.err


def test_repeats_are_counted_and_a_second_positive_is_no_repeat(
    student: Path, tmp_path: Path
) -> None:
    rows = clean()
    rows.append(Mined(query(1), document(57), rows[1].negatives))
    rows += [rows[2], rows[2]]
    path, _ = write(tmp_path, "triplet", rows)
    found = audited(student, path, "triplet", tmp_path / "out")
    assert counts(found) == {"repeated": 8}
    (given,) = (tmp_path / "out" / "work" / "audit").glob("*/given.parquet")
    occurrences = Counter(pq.read_table(given)["occurrences"].to_pylist())
    assert occurrences == {1: 38 * 4, 2: 4, 3: 4}


def test_rows_of_the_same_normalised_text_are_one_query(student: Path, tmp_path: Path) -> None:
    rows = clean()
    rows.append(Mined(query(2).upper() + " ", document(56), (document(2), document(40))))
    path = write_jsonl(
        tmp_path / "f.jsonl",
        [{"query": r.query, "pos": [r.positive], "neg": list(r.negatives)} for r in rows],
    )
    found = audited(student, path, "flagembedding", tmp_path / "out")
    assert counts(found) == {"known_positive": 1}
    assert found["counts"]["queries"] == 40


def test_a_query_may_hold_nothing_but_defects(student: Path, tmp_path: Path) -> None:
    rows = clean()
    rows[4] = Mined(query(4), document(4), (document(4), document(4).upper()))
    path, _ = write(tmp_path, "flagembedding", rows)
    fixed = tmp_path / "fixed.jsonl"
    found = audited(student, path, "flagembedding", tmp_path / "out", "--fix", str(fixed))
    assert found["counts"]["queries_all_bad"] == 1
    assert found["fixed"][0]["rows_dropped"] == 1
    assert [record["query"] for record in read_jsonl(fixed)] == [
        row.query for row in rows if row.query != query(4)
    ]


def test_the_judge_suspects_what_it_rates_above_the_positive(student: Path, tmp_path: Path) -> None:
    rows = clean()
    path, _ = write(tmp_path, "tevatron", rows)
    ident = [(f"id-{r.query.replace(' ', '_')}", r) for r in rows]
    scores = [
        {"query_id": q, "doc_id": "id-" + t.replace(" ", "_"), "score": score}
        for at, (q, row) in enumerate(ident)
        for t, score in [
            (row.positive, 2.0 if at == 6 else 1.0),
            *((n, -5.0 - k) for k, n in enumerate(row.negatives)),
        ]
    ]
    scores[6 * 5 + 1]["score"] = 1.5
    scores[8 * 5 + 2]["score"] = 3.0
    file = write_jsonl(tmp_path / "scores.jsonl", scores)
    judge = ("--judge", "precomputed", "--set", f"judge.path={file}")
    fixed = tmp_path / "fixed.jsonl"
    found = audited(
        student, path, "tevatron", tmp_path / "out", *judge, "--fix", str(fixed), "--fix-suspected"
    )
    assert counts(found) == {"suspected_positive": 1}
    remark = next(entry for entry in found["findings"] if not entry["defect"])
    assert (remark["reason"], remark["entries"]) == ("judge_calibrated_threshold", 1)
    (entry,) = read_jsonl(fixed.with_name("fixed.jsonl.removed.jsonl"))
    assert (entry["query"], entry["negative"]) == (query(8), rows[8].negatives[1])
    assert (entry["value"], entry["threshold"]) == (3.0, 1.0)
    kept = audited(
        student, path, "tevatron", tmp_path / "out", *judge, "--fix", str(tmp_path / "k.jsonl")
    )
    assert kept["fixed"][0]["removed"] == 0


def test_short_rows_can_be_kept(student: Path, tmp_path: Path) -> None:
    rows, expected = planted()
    path = write_jsonl(tmp_path / "f.jsonl", n_tuples(rows))
    fixed = tmp_path / "fixed.jsonl"
    found = audited(student, path, "n_tuple", tmp_path / "out", "--fix", str(fixed), "--keep-short")
    assert found["fixed"][0] | {"removed": len(expected), "rows_dropped": 0} == found["fixed"][0]
    assert len(read_jsonl(fixed)) == len(rows)
    assert audited(student, fixed, "n_tuple", tmp_path / "again")["clean"]


def test_several_files_are_one_set(student: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    rows = clean()
    for at, part in enumerate((rows[:20], rows[20:])):
        write_jsonl(folder / f"part-{at}.jsonl", n_tuples(part))
    sibling = Mined(query(1), document(55), (*rows[1].negatives[:3], document(1)))
    write_jsonl(folder / "part-2.jsonl", n_tuples([sibling]))
    copies = tmp_path / "copies"
    found = audited(student, folder, "n_tuple", tmp_path / "out", "--fix", str(copies))
    assert counts(found) == {"known_positive": 1}
    assert found["findings"][0]["examples"][0]["file"] == str(folder / "part-2.jsonl")
    assert [read_jsonl(copies / f"part-{at}.jsonl") for at in range(3)] == [
        n_tuples(rows[:20]),
        n_tuples(rows[20:]),
        [],
    ]


def test_judgements_name_positives_that_the_file_does_not(student: Path, tmp_path: Path) -> None:
    path, _ = write(tmp_path, "flagembedding", clean())
    texts = {i: document(i) for i in range(60)}
    write_jsonl(tmp_path / "corpus.jsonl", [{"_id": f"d{i}", "text": t} for i, t in texts.items()])
    asked = [{"_id": f"q{i}", "text": query(i).upper()} for i in range(40)]
    write_jsonl(tmp_path / "queries.jsonl", asked)
    judged = document((20 + 17) % 60)
    (tmp_path / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\n"
        f"q20\td{(20 + 17) % 60}\t1\nq21\td{(21 + 17) % 60}\t0\nq20\td59\t1\n"
    )
    found = audited(
        student,
        path,
        "flagembedding",
        tmp_path / "out",
        *("--corpus", str(tmp_path), "--queries", str(tmp_path)),
        *("--qrels", str(tmp_path / "qrels.tsv")),
    )
    assert counts(found) == {"known_positive": 1}
    (finding,) = [entry for entry in found["findings"] if entry["defect"]]
    assert finding["details"]["judged"] == 1
    (example,) = finding["examples"]
    assert (example["query_id"], example["doc_id"]) == ("q20", f"d{(20 + 17) % 60}")
    assert example["document"] == judged
    assert found["counts"]["outside_corpus"] == 0


def test_the_same_files_are_read_once_and_audited_the_same(student: Path, tmp_path: Path) -> None:
    rows, _ = planted()
    path, _ = write(tmp_path, "flagembedding", rows)
    first = audited(student, path, "flagembedding", tmp_path / "out")
    second = audited(student, path, "flagembedding", tmp_path / "out")
    assert {**first, "run": ""} == {**second, "run": ""}
    manifest = json.loads((Path(second["run"]) / "manifest.json").read_text())
    assert all(
        entry["reused"] for stage, entry in manifest["timings"].items() if stage != "publish"
    )


@pytest.mark.parametrize(
    "format", ["labeled_pair", pytest.param("lightning_ir", marks=pytest.mark.long)]
)
def test_of_a_row_a_document_the_bad_rows_go(format: str, student: Path, tmp_path: Path) -> None:
    rows, expected = planted()
    path, options = write(tmp_path / "set", format, rows)
    fixed = tmp_path / "fixed" / path.name
    found = audited(student, path, format, tmp_path / "out", *options, "--fix", str(fixed))
    reasons = Counter(reason for reason, _, _ in expected)
    # Query 3 stands twice, with the same negatives, and no row says to which positive they belong.
    reasons["repeated"] += len(rows[3].negatives) - 1
    assert counts(found) == reasons
    assert audited(student, fixed, format, tmp_path / "again", *options)["clean"]
