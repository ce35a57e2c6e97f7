"""The sample: which rows, and with which texts."""

import hashlib
from pathlib import Path

from negmine.jobs.report.read import RunData
from negmine.jobs.report.sections.sample import ROWS_A_GROUP, ROWS_IN_ALL, draw
from tests.jobs.report.a_run import DROPS, TIERS, a_manifest, write_run


def test_rows_are_those_with_the_smallest_hash(tmp_path: Path) -> None:
    def key(row: tuple[str, str]) -> int:
        query, document = row
        text = f"7 {len(query)} {query}{document}"
        return int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little")

    write_run(tmp_path / "r", 90)
    with RunData(tmp_path / "r", {**a_manifest(90), "seed": 7}) as run:
        groups = draw(run)
        size = min(ROWS_A_GROUP, ROWS_IN_ALL // len(groups))
        for group in groups:
            found = [(row["query_id"], row["negative_id"]) for row in group.rows]
            mined = "SELECT query_id, negative_id FROM negatives WHERE tier = ?"
            dropped = "SELECT query_id, doc_id FROM ledger WHERE verdict = ?"
            rows = run.all(mined if group.tier else dropped, group.name)
            assert found == sorted(rows, key=key)[:size]


def test_every_tier_and_drop_reason_has_its_group_in_order(tmp_path: Path) -> None:
    write_run(tmp_path / "r", 90)
    with RunData(tmp_path / "r", a_manifest(90)) as run:
        groups = draw(run)
    assert [g.name for g in groups] == [*TIERS, *DROPS]
    assert [g.tier for g in groups] == [*TIERS, None, None, None]
    assert {len(g.rows) for g in groups} == {ROWS_A_GROUP}
    assert {g.total for g in groups} == {90}
    for group in groups:
        ids = [(r["query_id"], r["negative_id"]) for r in group.rows]
        assert len(set(ids)) == ROWS_A_GROUP


def test_dropped_rows_get_texts_where_the_run_has_them(tmp_path: Path) -> None:
    write_run(tmp_path / "r", 30)
    with RunData(tmp_path / "r", a_manifest(30)) as run:
        rows = [r for group in draw(run)[3:] for r in group.rows]
    known = {f"d{n}" for n in range(32)}
    assert {r["doc_id"] for r in rows} - known == {"d32", "d33", "d34"}
    for r in rows:
        assert r["query"] == f"{r['query_id']} a text"
        assert r["positive_id"] == "p" + r["query_id"][1:]
        assert r["positive"] == f"{r['positive_id']} a text"
        assert r["negative"] == (f"{r['doc_id']} a text" if r["doc_id"] in known else None)


def test_another_seed_shows_other_rows(tmp_path: Path) -> None:
    write_run(tmp_path / "r", 300)
    shown = []
    for seed in (1, 1, 2):
        with RunData(tmp_path / "r", {**a_manifest(300), "seed": seed}) as run:
            shown.append([r["query_id"] for r in draw(run)[0].rows])
    assert shown[0] == shown[1] != shown[2]
