"""Where `export` and the other commands write: by the ending, to stdout, or not at all."""

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import StorageError
from negmine.transforms.exporters import Options, Source, export
from tests.builders import QUOTAS, Layout, build_run
from tests.jobs.collections import negmine

ROOT = Path(__file__).parents[3]
ROWS = 2 * (8 * sum(QUOTAS.values()) - 1)
CONFIG, DATA, STORAGE = 2, 3, 5


@pytest.fixture
def output(tmp_path: Path) -> Path:
    build_run(tmp_path / "out", Layout(positives=2))
    return tmp_path / "out"


def seen(folder: Path) -> dict[str, Any]:
    """What lies below a folder, and its content."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.jsonl.zst"])
def test_the_ending_makes_json_lines(name: str, output: Path, tmp_path: Path) -> None:
    file = tmp_path / name
    written = []
    for _ in range(2):
        assert negmine("export", str(output), "-f", "triplet", "-o", str(file)).code == 0
        written.append(file.read_bytes())
    assert written[0] == written[1]
    packed = {".gz": "gzip", ".zst": "zstd"}.get(file.suffix)
    with pa.input_stream(str(file), compression=packed) as stream:
        lines = stream.read().decode().split("\n")
    assert len(lines) == ROWS + 1
    assert list(json.loads(lines[0])) == ["anchor", "positive", "negative"]


def test_the_ending_makes_csv_or_parquet(output: Path, tmp_path: Path) -> None:
    for name in ("x.csv", "x.csv.gz", "x.parquet"):
        assert negmine("export", str(output), "-f", "n_tuple", "-o", str(tmp_path / name)).code == 0
    table = pq.read_table(tmp_path / "x.parquet")
    with open(tmp_path / "x.csv", encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == table.to_pylist()
    with gzip.open(tmp_path / "x.csv.gz") as packed:
        assert packed.read() == (tmp_path / "x.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "name", "words"),
    [
        (("flagembedding",), "x.csv", "pos, neg hold lists"),
        (("triplet", "--scores"), "x.csv.gz", "scores hold lists"),
        (("triplet",), "x.txt", "has the ending .txt"),
        (("triplet",), "x", "has no ending"),
        (("triplet",), "x.parquet.gz", "has the ending .parquet.gz"),
        (("triplet", "--n", "3"), "x.csv", "--n does not apply to triplet; it is for n_tuple"),
        (("triplet", "--short", "skip"), "x.csv", "--short does not apply to triplet"),
        (("n_tuple", "--type", "normal"), "x.csv", "it is for flagembedding"),
        (("n_tuple", "--prompt", "p"), "x.csv", "--prompt does not apply to n_tuple"),
        (("flagembedding", "--n", "1"), "x.jsonl", "--n does not apply to flagembedding"),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: tuple[str, ...], name: str, words: str, output: Path, tmp_path: Path
) -> None:
    ended = negmine("export", str(output), "-f", *options, "-o", str(tmp_path / name))
    assert (ended.code, words in ended.err) == (CONFIG, True), ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_takes_the_default_name(output: Path, tmp_path: Path) -> None:
    for place in (str(tmp_path), f"{tmp_path}/new/"):
        ended = negmine("export", str(output), "-f", "flagembedding", "-o", place)
        assert ended.code == 0, ended.err
    assert (tmp_path / "run-1-flagembedding.jsonl").is_file()
    assert (tmp_path / "new" / "run-1-flagembedding.jsonl.export.json").is_file()


def test_a_dash_is_standard_output_and_everything_else_is_told_beside_it(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = negmine("export", str(output), "-f", "n_tuple", "--scores", "-o", "-")
    assert ended.code == 0, ended.err
    records = [json.loads(line) for line in ended.out.split("\n")[:-1]]
    assert len(records) == 14
    assert "positives: 14 of 16: 2 of queries with fewer than n negatives\n" in ended.err
    assert "scores: judge" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def process(output: Path, redirection: str) -> subprocess.CompletedProcess[str]:
    command = f'"{sys.executable}" -m negmine export "{output}" -f triplet -o - {redirection}'
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_standard_output_is_utf_8_and_a_closed_one_is_a_sentence(tmp_path: Path) -> None:
    build_run(tmp_path / "out", Layout(queries=400, positives=8))
    ended = process(tmp_path / "out", f"> {tmp_path / 'all.jsonl'}")
    assert ended.returncode == 0, ended.stderr
    assert "東京" in (tmp_path / "all.jsonl").read_text(encoding="utf-8")
    ended = process(tmp_path / "out", "| head -n 1")
    assert ended.returncode == STORAGE
    (told,) = ended.stderr.strip().splitlines()
    assert told.startswith("error: standard output was closed before the export was whole")


def test_no_standard_output_at_all_is_the_same_sentence(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    source = Source(output / "runs" / "run-1", "run-1", QUOTAS)
    with pytest.raises(StorageError, match="standard output was closed"):
        export(source, "triplet", "-", Options())


def test_an_empty_export_is_an_error_and_leaves_what_is_there(output: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text("kept")
    ended = negmine("export", str(output), "-f", "n_tuple", "--n", "50", "-o", str(file))
    assert (ended.code, file.read_text()) == (DATA, "kept")
    assert "8 with fewer than n negatives" in ended.err
    assert not (tmp_path / "x.jsonl.export.json").exists()


def test_nothing_in_the_output_is_replaced(output: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "runs").mkdir(parents=True)
    (tmp_path / "other" / "current").write_text("one\n")
    before = seen(tmp_path)
    inside = ("current", "labels.jsonl", "work/x.jsonl", "runs/run-1/manifest.json", "x.parquet")
    for place in [*(output / name for name in inside), tmp_path / "other" / "x.parquet"]:
        ended = negmine("export", str(output), "-f", "triplet", "-o", str(place))
        assert ended.code == CONFIG, ended.err
        assert "among runs and what they are made from" in ended.err
        assert len(ended.err.strip().splitlines()) == 1
    assert seen(tmp_path) == before
    assert (
        negmine("export", str(output), "-f", "triplet", "-o", f"{output}/exports/x.csv").code == 0
    )


def test_the_report_beside_the_file_is_no_link_either(output: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv.export.json").symlink_to(output / "current")
    ended = negmine("export", str(output), "-f", "triplet", "-o", str(tmp_path / "x.csv"))
    assert ended.code == CONFIG
    assert "x.csv.export.json is a link" in ended.err
    assert (output / "current").read_text() == "run-1\n"
    assert not (tmp_path / "x.csv").exists()


DEVICE = "/dev/null"
GRID = "judge_relative_margin.keep_below=0.9,0.95"


@pytest.mark.parametrize(
    ("command", "option", "end"),
    [
        (("sweep", "RUN", "--set", GRID), "--plot", ".svg"),
        (("report", "RUN"), "--output", ".html"),
        (("compare", "RUN", "OTHER"), "--html", ".html"),
        (("relabel", "RUN"), "--review", ".jsonl"),
        (("relabel", "RUN", "decisions.jsonl"), "--output", ".jsonl"),
    ],
)
def test_every_command_that_writes_a_named_file_keeps_to_the_same_rules(
    command: tuple[str, ...],
    option: str,
    end: str,
    output: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    build_run(tmp_path / "out", Layout(run_id="run-2"), current=False)
    (tmp_path / "decisions.jsonl").write_text("")
    (tmp_path / f"link{end}").symlink_to(output / "current")
    names = {"RUN": str(output), "OTHER": f"{output}:run-2"}
    words = [names.get(word, word) for word in command]
    before = seen(tmp_path)
    for place, told in {
        DEVICE: "is a device",
        f"link{end}": "is a link",
        "x.other": "has the ending .other",
        "-": "has no ending",
        str(tmp_path): "is a folder",
        f"out/x{end}": "among runs",
        f"out/runs/run-1/x{end}": "among runs",
    }.items():
        ended = negmine(*words, option, place)
        assert (ended.code, told in ended.err) == (CONFIG, True), (place, ended.err)
        assert option in ended.err
    assert seen(tmp_path) == before
