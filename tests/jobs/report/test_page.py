"""The page: one file, the same bytes each time, complete for any run, within its size."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from negmine.jobs.cli.mining import app
from negmine.jobs.report import render, write_report
from negmine.jobs.report.headline import corpus
from negmine.schemas.errors import StorageError
from tests.jobs.html.test_markup import ATTACKS, Reader
from tests.jobs.report.a_run import good_metrics, row, write_metrics, write_run

CSS = Path(__file__).parents[3] / "jobs" / "report" / "page.css"
SECTIONS = ("headline", "findings", "tiers", "checked", "plots", "sample", "numbers", "made")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("report") / "first", 120, metrics=good_metrics(120))


def sections(html: str) -> list[str]:
    ids = [attributes.get("id") for _, attributes in Reader(html).tags]
    return [name for name in SECTIONS if name in ids]


def test_the_first_screen_answers_four_questions_with_intervals(run: Path) -> None:
    html = render(run)
    first = Reader(html[html.index("<main>") : html.index('id="findings"')]).text
    for words in (
        "What was mined360 negatives for 120 queriesCounted, not estimated3 a query (median)",
        "How safe1.2\u00a0% of hidden positives were taken for negatives",
        "95 % interval: 0.4\u00a0% to 3.0\u00a0%, of 807",
        "(fusion) puts 0.4\u00a0% [0.2\u00a0%, 0.6\u00a0%] of 807 negatives above their positive",
        "How hard0.308 mean similarity of negative and query95 % interval: 0.303 to 0.313",
        "What is wrongNothing that was checked",
    ):
        assert words in first
    assert sections(html) == list(SECTIONS)


def test_safety_is_not_claimed_where_nothing_measured_it(tmp_path: Path) -> None:
    rows = [r for r in good_metrics(9) if r["metric"] not in ("leak", "leak_hard")]
    html = render(write_run(tmp_path / "judged", 9, metrics=rows))
    assert "How safe0.4\u00a0% of negatives are above their positive" in Reader(html).text
    rows = [r for r in rows if r["metric"] != "judge_fn_rate"]
    html = render(write_run(tmp_path / "not", 9, metrics=rows))
    assert "How safeNot measured" in Reader(html).text


def test_a_few_are_counted_and_nothing_of_three_is_not_nothing(tmp_path: Path) -> None:
    rows = [r for r in good_metrics(3) if r["metric"] not in ("leak", "judge_fn_rate")]
    rows.append({**row("judge_fn_rate", 0.0, 0.0), "count": 3})
    html = Reader(render(write_run(tmp_path / "r", 3, metrics=rows))).text
    assert "How safe0 of 3 negatives are above their positive" in html
    assert "95 % interval: 0\u00a0% to 56.1\u00a0%, of 3" in html
    assert "negatives that the judge prefers (0 of 3: too few to tell)" in html


def test_the_title_says_what_was_mined_and_how(run: Path) -> None:
    html = render(run)
    title = "corpus, judge fusion, hard 1, semi_hard 1, random 1"
    assert f"<title>{title} - negmine</title>" in html
    assert f"<h1>Negatives: {title}</h1>" in html
    assert corpus({"input": {"path": "data/scifact/", "split": "train"}}) == "scifact (train)"
    assert corpus({"input": {"name": "beir/scifact/train"}}) == "beir/scifact/train"
    assert corpus({"input": {"format": "stdlib"}}) == "stdlib"


def test_code_keeps_its_indentation(tmp_path: Path) -> None:
    code = "def f():\n    if True:\n\treturn 1"
    html = render(write_run(tmp_path / "r", 5, code, good_metrics(5)))
    assert f'<p class="text code" dir="auto">p0 {code}</p>' in html
    assert re.search(r"\.text \{[^}]*white-space: pre-wrap", CSS.read_text(encoding="utf-8"))
    plain = render(write_run(tmp_path / "plain", 5, "a text\nof two lines", good_metrics(5)))
    assert 'class="text code"' not in plain


def test_sources_and_judge_are_shown_to_be_checked(tmp_path: Path) -> None:
    rows = [*good_metrics(120), row("queries_without", 6, source="bm25")]
    rows += [row("tier_source", n, tier="hard", source="bm25") for n in (30,)]
    folder = write_run(tmp_path / "r", 120, metrics=rows)
    manifest = json.loads((folder / "manifest.json").read_text())
    sample = {"judge": "fusion", "auc": 0.9, "low": 0.8, "high": 0.95, "positives": 32}
    manifest["judge_checks"] = [{**sample, "random": 64, "queries": 32}]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    html = render(folder)
    shown = Reader(html[html.index('id="checked"') : html.index('id="plots"')]).text
    assert "5.0\u00a0% [2.3\u00a0%, 10.5\u00a0%] of 120 queries" in shown
    assert "30 (8.3\u00a0%)" in shown
    assert "0.900 [0.800, 0.950], 32 known positives, 64 random documents" in shown
    assert "0.4\u00a0% [0.2\u00a0%, 0.6\u00a0%] of 807 negatives" in shown


def test_what_is_wrong_links_to_what_to_do(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "r")
    rows = [r for r in good_metrics(120) if r["metric"] != "anisotropy"]
    (tmp_path / "r" / "metrics.parquet").unlink()
    write_metrics(tmp_path / "r", [*rows, row("anisotropy", 0.9)])
    html = render(tmp_path / "r")
    assert '<a href="#finding-0">Two random documents have cosine 0.900' in html
    assert 'id="finding-0"' in html
    assert "<b>Do: </b>Choose the tiers&#x27; min_ratio" in html


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "elsewhere[1]*")
    assert render(run) == render(tmp_path / "elsewhere[1]*") == render(run)


def test_only_its_own_style_and_script_may_run(run: Path) -> None:
    html = render(run)
    tags = Reader(html).tags
    (policy,) = (a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (code,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    order = [tag for tag, _ in tags]
    assert order.index("meta") < order.index("title") < order.index("style")


def test_nothing_is_fetched_and_nothing_is_inline(run: Path) -> None:
    for tag, attributes in Reader(render(run)).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "style", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


@pytest.mark.parametrize("text", ATTACKS)
def test_texts_of_the_corpus_add_no_tag(run: Path, tmp_path: Path, text: str) -> None:
    write_run(tmp_path / "r", 120, text, good_metrics(120))
    plain, hostile = (sorted(t for t, _ in Reader(render(r)).tags) for r in (run, tmp_path / "r"))
    assert hostile == plain


def test_hostile_names_add_no_script(tmp_path: Path) -> None:
    write_run(tmp_path / "r", 5, metrics=[row("hub", 50, key=a) for a in ATTACKS])
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    attack = "".join(ATTACKS)
    manifest |= {"run_id": attack, "created": attack, "models": {attack: attack}}
    manifest["config"]["student"]["model"] = attack
    manifest["config"]["tiers"][attack] = {attack: attack}
    manifest["tier_order"].append(attack)
    (tmp_path / "r" / "manifest.json").write_text(json.dumps(manifest))
    tags = [tag for tag, _ in Reader(render(tmp_path / "r")).tags]
    assert tags.count("script") == tags.count("style") == tags.count("title") == 1
    assert "img" not in tags


def without(name: str) -> Any:
    def remove(run: Path) -> None:
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def bare_manifest(run: Path) -> None:
    (run / "manifest.json").write_text("{}")


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (without("metrics.parquet"), set()),
        (without("ledger"), set()),
        (without("sets"), set()),
        (without("negatives"), set()),
        (bare_manifest, {"made"}),
    ],
)
def test_what_an_older_run_lacks_is_left_out(
    run: Path, tmp_path: Path, change: Any, missing: set[str]
) -> None:
    shutil.copytree(run, tmp_path / "r")
    change(tmp_path / "r")
    found = sections(render(tmp_path / "r"))
    assert {"headline", "findings", "sample"} - missing <= set(found)


def test_a_run_with_nothing_but_a_manifest_is_a_page(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert "What is wrong" in render(tmp_path)


def test_columns_that_an_older_run_lacks_are_left_out(tmp_path: Path) -> None:
    write_run(tmp_path / "r", 10, metrics=good_metrics(10))
    for file in (tmp_path / "r").rglob("part-*.parquet"):
        table = pq.ParquetFile(file).read()
        names = ("judge_margin", "judge_parts", "confirmed_negative", "weight")
        pq.write_table(table.drop_columns([n for n in names if n in table.column_names]), file)
    html = render(tmp_path / "r")
    assert "q3 a text" in html
    assert "How hard against how safe" not in html


def test_a_run_without_texts_says_so(tmp_path: Path) -> None:
    html = render(write_run(tmp_path / "r", 5, inline=False))
    assert "Its text is not in the run" in html
    assert "None" not in html


@pytest.mark.parametrize("text", ["a long text " * 400, "<\u202e&\0" * 2000, "😀" * 5000])
def test_two_thousand_queries_stay_within_three_megabytes(tmp_path: Path, text: str) -> None:
    write_run(tmp_path / "r", 2_000, text, good_metrics(2_000))
    html = render(tmp_path / "r")
    assert 300_000 < len(html.encode()) <= 3_000_000
    assert "more characters]" in html


def test_a_run_that_is_damaged_or_incomplete_is_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"manifest\.json cannot be read"):
        render(tmp_path)
    shutil.copytree(run, tmp_path / "r")
    (tmp_path / "r" / "negatives" / "tier=hard" / "part-000.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match="Mine the run again"):
        render(tmp_path / "r")


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left(
    run: Path, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match=r"cannot write the report .*--output"):
        write_report(run, run / "manifest.json" / "report.html")
    assert write_report(run, tmp_path / "new" / "report.html").is_file()
    shutil.rmtree(tmp_path / "new")
    (tmp_path / "report.html").mkdir()
    with pytest.raises(StorageError, match="cannot write the report"):
        write_report(run, tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_command_writes_it_again_anywhere(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(run, output / "runs" / "first")
    (output / "current").write_text("first\n")
    answer = CliRunner().invoke(app, ["report", str(output), "--output", str(tmp_path / "r.html")])
    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == render(run)
    answer = CliRunner().invoke(app, ["report", f"{output}:first"])
    assert answer.output.strip().endswith("runs/first/report.html")
    assert (output / "runs" / "first" / "report.html").is_file()


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_has_the_contrast_that_wcag_asks_for_in_every_scheme() -> None:
    schemes = [
        dict(re.findall(r"--(\w+): (#\w{6});", block))
        for block in re.findall(r":root \{(.*?)\}", CSS.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert len(schemes) == 3
    for colours in schemes:
        for ink in ("ink", "soft", "accent", "drop", "bad", "look"):
            for sheet in ("sheet", "raised"):
                pair = sorted(luminance(colours[name]) for name in (ink, sheet))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ink, sheet, colours)
