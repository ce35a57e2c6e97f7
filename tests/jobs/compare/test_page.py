"""The page and the command: the same numbers everywhere, and texts that stay text."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from negmine.jobs.cli.mining import app
from negmine.jobs.compare import compare
from negmine.jobs.compare.page import page, write_page
from negmine.jobs.compare.result import Comparison
from negmine.schemas.errors import ConfigError, StorageError
from tests.jobs.compare.a_pair import Pair, a_manifest, dropped, metric, write_run
from tests.jobs.html.test_markup import ATTACKS, Reader


def two_runs(output: Path, text: str = "text") -> Comparison:
    """Runs in which every name is `text`."""
    runs = []
    for name, tier in (("a", "hard"), ("b", "random")):
        manifest = {key: value for key, value in a_manifest(name).items() if key != "run_id"}
        manifest["config"]["judge"][text] = {text: name}
        manifest["config"]["tiers"][text] = {"quota": 1}
        manifest |= {"created": text, "versions": {text: name}, "inputs": {text: name}}
        manifest["policies"] = [{text: {text: name}}]
        pairs = [Pair(text, f"{text} 1"), Pair(text, f"{text} 2", tier)]
        pairs.append(Pair(text, name) if name == "a" else dropped(text, "a"))
        rows = [metric("gini", 0.5, 0.1, tier=text, source=text, key=text), metric("gini", 0.2)]
        runs.append(write_run(output, name, pairs, metrics=rows, **manifest))
    return compare(*runs)


@pytest.mark.parametrize("text", ATTACKS)
def test_names_in_the_runs_add_no_tag(tmp_path: Path, text: str) -> None:
    plain, hostile = (two_runs(tmp_path / str(n), t) for n, t in enumerate(("text", text)))
    tags = [sorted(tag for tag, _ in Reader(page(found)).tags) for found in (plain, hostile)]
    assert tags[0] == tags[1]


def test_identifiers_in_the_header_are_text(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script>"
    runs = []
    for name in "ab":
        run = write_run(tmp_path / name, "run", [Pair("q", "d")], created=attack)
        runs.append(run)
    html = page(compare(*runs))
    assert "<script" not in html
    assert attack in Reader(html).text


def test_nothing_may_run_and_nothing_is_fetched(tmp_path: Path) -> None:
    html = page(two_runs(tmp_path))
    tags = Reader(html).tags
    (policy,) = (a["content"] for _, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    for tag, attributes in tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "style", "srcset", "action", "href"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)


def test_the_page_has_every_part_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    found = two_runs(tmp_path)
    html = page(found)
    text = Reader(html).text
    for words in (
        found.verdict,
        "Config: keys that differ",
        "Policies that differ",
        "Inputs, models and versions that differ",
        "Negatives of the 1 queries of both runs",
        "Negatives of both runs in another tier",
        "Negatives of A alone: their verdict in B",
        "Metrics of the same queries",
        "Other metrics",
    ):
        assert words in text
    assert html == page(two_runs(tmp_path / "again"))


def test_a_page_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    found = two_runs(tmp_path / "runs")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write the page .*--html"):
        write_page(found, tmp_path / "file" / "page.html")
    (tmp_path / "page.html").mkdir()
    with pytest.raises(StorageError, match="cannot write the page"):
        write_page(found, tmp_path / "page.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "page.html", "runs"]


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["compare", *words])


def test_the_command_prints_a_table_json_and_a_page(tmp_path: Path) -> None:
    found = two_runs(tmp_path / "out", "te\x1b[31mxt [bold]")
    runs = (f"{tmp_path}/out:a", f"{tmp_path}/out:b")
    answer = run(*runs)
    assert answer.exit_code == 0, answer.output
    assert found.verdict in " ".join(answer.output.split()).replace(" )", ")")
    assert "te\\x1b[31mxt [bold]" in answer.output
    assert "\x1b" not in answer.output
    target = tmp_path / "page.html"
    answer = run(*runs, "--json", "--html", str(target))
    assert json.loads(answer.output) == found.as_json()
    assert target.read_text(encoding="utf-8") == page(found)
    assert run(*runs, "--html", str(target)).output.splitlines()[-1] == str(target)


def test_json_has_the_derived_numbers(tmp_path: Path) -> None:
    found = two_runs(tmp_path).as_json()
    (overall, *_) = found["overlap"]
    assert (overall["only_a"], overall["only_b"], overall["jaccard"]) == (1, 0, 2 / 3)
    assert found["left"] == [{"tier": "hard", "verdict": "over_quota", "count": 1}]
    assert {"tier", "a_low", "difference", "intervals_meet"} <= set(found["metrics"][0])
    counted = {row["name"]: row["difference"] for row in found["counts"]}
    assert counted["negatives"] == -1
    json.dumps(found, allow_nan=False)


def test_runs_that_are_not_there_are_told(tmp_path: Path) -> None:
    two_runs(tmp_path)
    assert "no run 'c'" in str(run(f"{tmp_path}:a", f"{tmp_path}:c").exception)
    answer = run(f"{tmp_path}:a", str(tmp_path / "runs" / "a"))
    assert isinstance(answer.exception, ConfigError)
    assert "give two runs" in str(answer.exception)
