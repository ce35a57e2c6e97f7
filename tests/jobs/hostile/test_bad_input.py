"""Every mistake ends in one message, its exit code, and an output folder as it was before."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.collections import (
    Ended,
    leftovers,
    negmine,
    published,
    small_run,
    static_student,
)
from tests.transforms.input_files import write_beir

CONFIG, DATA, MODEL, STORAGE = 2, 3, 4, 5
DOCUMENT, QUERY = {"_id": "d1", "text": "aqua sola"}, {"_id": "q1", "text": "aqua"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad")


@pytest.fixture(scope="module")
def config(base: Path) -> str:
    return small_run(base, output={})


@pytest.fixture(scope="module")
def student(base: Path, config: str) -> Path:
    return base / "student"


@pytest.fixture(scope="module")
def output(base: Path, config: str) -> Path:
    """An output folder that holds one published run."""
    folder = base / "out"
    first = negmine("mine", config, "--output", str(folder), "--set", "output.run_id=first")
    assert first.code == 0, first.err
    return folder


@pytest.fixture
def mine(config: str, output: Path) -> Callable[..., Ended]:
    """Run `negmine mine` into the output that holds a run; nothing of it may change."""

    def run(*settings: str, beam: tuple[str, ...] = ()) -> Ended:
        before = published(output)
        options = [word for setting in settings for word in ("--set", setting)]
        ended = negmine("mine", config, "--output", str(output), *options, "--", *beam)
        assert published(output) == before
        assert leftovers(output) == []
        return ended

    return run


def refused(ended: Ended, code: int, *words: str) -> None:
    """One message on stderr that holds these words; no traceback, no log lines."""
    assert "Traceback" not in ended.err, ended.err
    assert ended.code == code, ended.err
    assert ended.err.startswith("error: "), ended.err
    assert ended.err.count("error: ") == 1
    assert ended.out == ""
    for word in words:
        assert word in ended.err


BAD_COLLECTIONS = {
    "empty corpus": (([], [QUERY], []), "the corpus is empty", "corpus.jsonl"),
    "no queries": (([DOCUMENT], [], []), "there are no queries", "queries.jsonl"),
    "no positives": (
        ([DOCUMENT], [QUERY], [("q1", "d1", 0)]),
        "no query has a positive",
        "qrels/train.tsv",
    ),
    "all rows bad": (
        ([b"\xff\xfe", '{"_id"'], ["[]"], ["x"]),
        "4 of 4 rows cannot be used",
        "corpus.jsonl line 1: line is not UTF-8",
    ),
    "over the share": (
        ([DOCUMENT, {"_id": "", "text": "x"}], [QUERY], [("q1", "d1", 1)]),
        "1 of 4 rows cannot be used (25.00%, the limit is 1.00%)",
        "corpus.jsonl line 2: id is empty",
        "input.bad_rows",
    ),
}


@pytest.mark.parametrize("name", BAD_COLLECTIONS)
def test_a_collection_that_cannot_be_used(
    mine: Callable[..., Ended], tmp_path: Path, name: str
) -> None:
    rows, *words = BAD_COLLECTIONS[name]
    refused(mine(f"input.path={write_beir(tmp_path, *rows)}"), DATA, *words)


def test_a_folder_a_file_or_a_split_that_is_not_there(
    mine: Callable[..., Ended], tmp_path: Path
) -> None:
    refused(mine(f"input.path={tmp_path / 'none'}"), DATA, "input.path", str(tmp_path / "none"))
    folder = write_beir(tmp_path / "some")
    refused(mine(f"input.path={folder}", "input.split=dev"), DATA, "'dev'", "found train")
    (folder / "corpus.jsonl").unlink()
    refused(mine(f"input.path={folder}"), DATA, "corpus.jsonl does not exist")


def test_a_compressed_file_that_is_cut_off(mine: Callable[..., Ended], tmp_path: Path) -> None:
    file = write_beir(tmp_path, suffix=".gz") / "corpus.jsonl.gz"
    file.write_bytes(file.read_bytes()[:-12])
    refused(mine(f"input.path={tmp_path}"), DATA, str(file), "cut off", "fetch it again")


SETTINGS = {
    "input.format=csvv": ("input.format", "'csvv'", "beir, parquet"),
    "judge.kindd=none": ("judge.kindd: unknown key", "did you mean kind?"),
    "seed=abc": ("seed", "valid integer", "'abc'"),
    "seed": ("--set 'seed'", "write key=value"),
    "seed=[1": ("--set", "not YAML"),
    "seed.x=1": ("seed", "valid integer"),
    "policies.nope.x=1": ("there is no 'nope' here", "known_positive"),
    "policies.9=3": ("policies.NAME.PARAMETER=value",),
    "output.run_id=../x": ("output.run_id", "'../x'"),
    "sources.bm25.language=klingon": ("sources.bm25.language", "'klingon'", "english"),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_that_cannot_be_used(mine: Callable[..., Ended], setting: str) -> None:
    refused(mine(setting), CONFIG, *SETTINGS[setting])


BEAM = {
    "--direct_num_workerz=2": ("'--direct_num_workerz=2'", "did you mean --direct_num_workers?"),
    "--direct_num_workers=x": ("--direct_num_workers", "'x'"),
    "--runner=NoSuchRunner": ("NoSuchRunner", "FlinkRunner"),
    "word": ("'word'", "before --"),
}


@pytest.mark.parametrize("option", BEAM)
def test_an_option_that_beam_does_not_know(mine: Callable[..., Ended], option: str) -> None:
    refused(mine(beam=(option,)), CONFIG, *BEAM[option])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ("cannot read the config", "Presets", "stdlib")),
        (b"a: [1\n b", ("is not YAML", "line 2")),
        (b"- 1", ("expected keys such as input:",)),
        (b"", ("expected keys such as input:",)),
        (b"\xff\xfe\x00", ("cannot read the config",)),
        (b"input: {format: beir}", ("input.path: missing",)),
    ],
)
def test_a_config_file_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, words: tuple[str, ...]
) -> None:
    file = tmp_path / "run.yaml"
    if content is not None:
        file.write_bytes(content)
    refused(negmine("mine", str(file), "--output", str(tmp_path / "out")), CONFIG, *words)
    assert not (tmp_path / "out").exists()


def test_usage_is_explained(config: str) -> None:
    for arguments in (["mine"], ["mine", config, "--no-such"], ["nonsense"]):
        ended = negmine(*arguments)
        assert ended.code == 2
        assert ended.err.startswith("Usage: negmine ")


def test_a_student_that_is_not_there(
    mine: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(mine("student.model=./nowhere"), MODEL, "'./nowhere'", "no such folder", "hub name")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    ended = mine("student.model=nobody/no-such-model")
    refused(ended, MODEL, "'nobody/no-such-model'", "Give a local folder", "all-MiniLM-L6-v2")


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("model.safetensors", b"garbage" * 100),
        ("model.safetensors", b"\x10"),
        ("modules.json", b"{not json"),
        ("tokenizer.json", b""),
    ],
)
def test_a_student_whose_files_are_damaged(
    mine: Callable[..., Ended], student: Path, tmp_path: Path, file: str, data: bytes
) -> None:
    damaged = Path(shutil.copytree(student, tmp_path / "damaged"))
    (damaged / file).write_bytes(data)
    refused(mine(f"student.model={damaged}"), MODEL, str(damaged), "again")


def test_a_student_that_gives_no_numbers(mine: Callable[..., Ended], tmp_path: Path) -> None:
    model = static_student(tmp_path / "nan", broken=True)
    refused(mine(f"student.model={model}"), MODEL, str(model), "not a number")


def test_a_folder_that_is_no_model(mine: Callable[..., Ended], tmp_path: Path) -> None:
    refused(mine(f"student.model={tmp_path}"), MODEL, str(tmp_path), "no config.json")


def test_a_static_model_cannot_judge_by_tokens(mine: Callable[..., Ended], tmp_path: Path) -> None:
    named = f"judge={{kind: fusion, model: {static_student(tmp_path / 'static')}}}"
    refused(mine(named), MODEL, "no token vectors", "judge.model")


@pytest.mark.parametrize("below", ["", "deeper"])
def test_an_output_that_is_a_file(config: str, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("kept")
    ended = negmine("mine", config, "--output", str(tmp_path / "file" / below))
    refused(ended, STORAGE, str(tmp_path / "file"), "--output DIR")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_runs_folder_that_is_a_file(config: str, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("kept")
    ended = negmine("mine", config, "--output", str(tmp_path))
    refused(ended, STORAGE, str(tmp_path / "runs"), "--output DIR")
    assert (tmp_path / "runs").read_text() == "kept"


def test_a_run_id_that_is_taken(mine: Callable[..., Ended]) -> None:
    refused(mine("output.run_id=first"), STORAGE, "never changed", "choose another output.run_id")
