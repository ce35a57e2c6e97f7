"""The command line as a whole: versions, examples, names of options, JSON, exit codes."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import negmine as package
from negmine.jobs.cli.mining import app
from negmine.jobs.cli.root import EXAMPLES
from negmine.jobs.mining.run import MiningRun
from tests.jobs.collections import negmine, write_config

STAGES = {"ingest", "embed", "retrieve", "judge", "select", "score"}


def commands(group: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *above, name)
        else:
            yield (*above, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def options(command: Any) -> dict[str, Any]:
    return {name: option for option in command.params for name in option.opts if name[0] == "-"}


def test_the_version_is_the_packages() -> None:
    assert negmine("--version").out == f"negmine {package.__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, negmine.jobs.cli.mining\n"
        "heavy = {'torch', 'apache_beam', 'duckdb', 'pyarrow', 'faiss', 'pydantic', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("line", "completed"),
    [("sh", "show"), ("runs pro", "promote"), ("report --ou", "--output"), ("relabel --t", "")],
)
def test_a_shell_completes_commands_and_options(
    line: str, completed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the script of `--install-completion` asks; old spellings are not offered."""
    monkeypatch.setenv("_NEGMINE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"negmine {line}")
    monkeypatch.setenv("COMP_CWORD", str(len(line.split())))
    assert negmine().out.strip() == completed


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_examples_that_the_command_can_read(words: tuple[str, ...]) -> None:
    examples = EXAMPLES[words[-1]]
    shown = " ".join(negmine(*words, "--help").out.replace("│", " ").split())
    for example in examples:
        assert example.startswith(f"negmine {' '.join(words)}")
        assert " ".join(example.split()[: len(words) + 2]) in shown
        arguments = shlex.split(example)[1 + len(words) :]
        COMMANDS[words].make_context(words[-1], arguments)


def test_what_is_written_is_named_by_one_option_that_has_a_letter() -> None:
    """`--out` and `--to`, as two commands had it, go on working and are not shown."""
    for words, command in COMMANDS.items():
        found = options(command)
        if "--output" in found:
            assert "-o" in found, words
        for old in {"--out", "--to"} & set(found):
            assert found[old].hidden, words


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_what_is_printed_is_had_as_json(words: tuple[str, ...]) -> None:
    if words[0] in STAGES or words in (("export",), ("init",)):
        pytest.skip("stages print progress, export leaves a report, init writes a config")
    assert "--json" in options(COMMANDS[words])


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("mistakes")
    nothing = {"format": "beir", "path": str(folder / "nothing")}
    return {
        "RUN": str(folder / "nowhere"),
        "MISSING": str(folder / "nothing.yaml"),
        "BAD": write_config(folder / "bad.yaml", inputt=1),
        "NO_DATA": write_config(folder / "no_data.yaml", input=nothing, judge={"kind": "none"}),
        "FILE": str(folder / "nothing.jsonl"),
    }


@pytest.mark.parametrize(
    ("code", "line"),
    [
        *((2, f"{c} RUN") for c in ("show", "query", "report", "doctor", "gc", "runs list")),
        *((2, f"{c} RUN x") for c in ("why", "runs promote")),
        (2, "compare RUN RUN"),
        (2, "export RUN --format triplet"),
        (2, "batches RUN --size 8"),
        (2, "relabel RUN FILE"),
        (2, "sweep RUN --policy judge_relative_margin.keep_below=0.9"),
        (2, "refresh RUN --student x"),
        *((2, f"{c} MISSING") for c in ("mine", "plan", "config", "ingest", "tune-index")),
        *((2, f"{c} BAD") for c in ("mine", "plan", "config", "ingest", "tune-index")),
        *((3, f"{c} NO_DATA") for c in ("mine", "plan", "ingest", "tune-index")),
        (3, "audit FILE --format triplet"),
        (2, "show"),
        (2, "nothing"),
    ],
)
def test_the_same_mistake_has_the_same_code(mistakes: dict[str, str], code: int, line: str) -> None:
    """2: a run, a config or an option that cannot be used; 3: data that is not there."""
    ended = negmine(*(mistakes.get(word, word) for word in line.split()))
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err


def test_a_file_named_twice_is_refused(tmp_path: Path, first: tuple[Path, MiningRun]) -> None:
    old, new = tmp_path / "old.html", tmp_path / "new.html"
    ended = negmine("report", str(first[0]), "--out", str(old), "-o", str(new))
    assert ended.code == 2 and "one option under two names" in ended.err
    assert negmine("report", str(first[0]), "--out", str(old)).out.strip() == str(old)
    told = json.loads(negmine("report", str(first[0]), "-o", str(new), "--json").out)
    assert told == {"report": str(new)}


def test_runs_and_a_run_are_told_in_json(first: tuple[Path, MiningRun]) -> None:
    path, _ = first
    listed = json.loads(negmine("runs", "list", str(path.parents[1]), "--json").out)
    assert path.name in [entry["run_id"] for entry in listed]
    assert sum(entry["current"] for entry in listed) == 1
    told = json.loads(negmine("show", str(path), "--json").out)
    assert told["manifest"]["run_id"] == path.name
    rows = json.loads(negmine("query", str(path), "tier_counts", "--json").out)
    assert {row["tier"] for row in rows} >= {"hard"}
