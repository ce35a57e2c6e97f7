"""The tables of a second core's worth are medians of what was measured, stage by stage."""

import json
from pathlib import Path
from typing import Any

from benchmarks import cores
from benchmarks._scaling_run import steps
from negmine.jobs.load_config import load_config
from negmine.jobs.mining.run import MiningRun
from tests.jobs.collections import small_run


def kept(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps({**row, "load": 0.5}) + "\n" for row in rows))


def test_a_stage_has_medians_on_one_core_and_on_all_and_their_ratio(tmp_path: Path) -> None:
    step = {"run": "wordnet", "step": "judge"}
    one = [{**step, "cores": 1, "seconds": s, "cpu": 2 * s} for s in (9.0, 4.0, 5.0)]
    every = [{**step, "cores": 0, "seconds": s, "cpu": s} for s in (2.5, 2.0, 8.0)]
    kept(tmp_path / "stages.jsonl", one + every)
    assert (
        "| judge | 5.00 | 2.50 | 2.00 | 10.00, 2.50 | 4.00 | 0.5 |"
        in cores.table(tmp_path).splitlines()
    )


def test_a_command_has_its_median_and_its_span(tmp_path: Path) -> None:
    rows = [{"command": "negmine --help", "seconds": s} for s in (0.3, 0.1, 0.2)]
    kept(tmp_path / "commands.jsonl", rows)
    line = "| `negmine --help` | 0.20 | 0.10-0.30 | 3 | 0.5 |"
    assert line in cores.table(tmp_path).splitlines()


def test_every_stage_of_a_run_with_a_model_is_a_step(tmp_path: Path) -> None:
    run = MiningRun(load_config(small_run(tmp_path)))
    names = [name for name, _ in steps(run)]
    assert names[:4] == ["ingest", "choose precision", "embed documents", "embed queries"]
    assert names[-4:] == ["judge", "select", "score", "publish"]
    for _, step in steps(run):
        step()
    assert (tmp_path / "out" / "runs" / "run" / "manifest.json").is_file()
