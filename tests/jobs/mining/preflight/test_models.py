"""Models that fail, through the command line: one sentence, before anything long runs."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from negmine.transforms.models import cross_encoder as cross_encoders
from negmine.transforms.models import encoder as encoders
from negmine.transforms.models import judges
from tests.jobs.collections import (
    Ended,
    cross_encoder,
    leftovers,
    negmine,
    published,
    small_run,
    static_student,
)
from tests.transforms.models import broken


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("preflight")


@pytest.fixture(scope="module")
def config(base: Path) -> str:
    return small_run(base, judge={"kind": "cross_encoder", "device": "cpu"}, output={})


def mine(config: str, output: Path, *settings: str) -> Ended:
    options = [part for setting in settings for part in ("--set", setting)]
    return negmine("mine", config, "--output", str(output), *options)


def refused(ended: Ended, output: Path, code: int, *words: str) -> None:
    """One error, no traceback, nothing published, and no text embedded."""
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err
    assert ended.err.count("error: ") == 1
    for word in words:
        assert word in ended.err
    assert not published(output)
    assert not leftovers(output)
    assert not list((output / "work" / "embed").glob("*/part-*"))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (broken.decoder, ("judge.model", "no padding token", "tokenizer_config.json")),
        (broken.small_vocabulary, ("judge.model", "IndexError", "tokenizer")),
        (broken.encoder, ("judge.model", "classifier", "no reranker")),
        (lambda folder: cross_encoder(folder, labels=2), ("2 labels", "judge.kind: fusion")),
        (lambda folder: cross_encoder(folder, broken=True), ("not numbers", "damaged")),
    ],
)
def test_a_judge_that_fails_is_told_before_any_text_is_embedded(
    config: str, tmp_path: Path, build: Callable[[Path], Path], words: tuple[str, ...]
) -> None:
    model = build(tmp_path / "model")
    output = tmp_path / "out"
    refused(mine(config, output, f"judge.model={model}"), output, 4, *words)


def test_every_judge_of_a_tree_is_tried(config: str, tmp_path: Path) -> None:
    model = broken.decoder(tmp_path / "model")
    good = cross_encoder(tmp_path / "good")
    for number, judge in enumerate(
        (
            f"{{kind: vote, agree: 1, judges: [{{kind: cross_encoder, model: {good}}}, "
            f"{{kind: cross_encoder, model: {model}}}]}}",
            f"{{kind: late_interaction, model: {broken.small_vocabulary(tmp_path / 'small')}}}",
        )
    ):
        output = tmp_path / f"out{number}"
        refused(mine(config, output, f"judge={judge}"), output, 4, "judge.model")


def test_a_student_that_fails_is_told_by_its_own_setting(config: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    model = broken.small_vocabulary(tmp_path / "model")
    settings = (f"student.model={model}", "judge={kind: none}")
    refused(mine(config, output, *settings), output, 4, "student.model", "student.max_length")
    settings = (f"student.model={static_student(tmp_path / 'nan', broken=True)}", settings[1])
    refused(mine(config, output, *settings), output, 4, "not a number", "weights are damaged")


def test_a_student_without_token_vectors_cannot_be_the_judges_encoder(
    config: str, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    named = f"judge={{kind: fusion, model: {static_student(tmp_path / 'judge')}}}"
    refused(mine(config, output, named), output, 4, "gives no token vectors")


def test_a_static_student_is_stood_in_for_by_the_encoder_that_comes_with_negmine(
    config: str, tmp_path: Path
) -> None:
    ended = mine(config, tmp_path / "out", "judge={kind: fusion}")
    assert ended.code == 0, ended.err
    assert "the student is static and has no token vectors, so all-MiniLM-L6-v2" in ended.err


@pytest.mark.parametrize("key", ["student", "judge"])
def test_a_length_beyond_the_positions_is_refused_before_ingest(
    config: str, tmp_path: Path, key: str
) -> None:
    judge = cross_encoder(tmp_path / "judge")
    student = broken.encoder(tmp_path / "student")
    output = tmp_path / "out"
    settings = (f"judge.model={judge}", f"student.model={student}", f"{key}.max_length=65")
    refused(mine(config, output, *settings), output, 2, f"{key}.max_length 65", "64")
    assert not (output / "work" / "ingest").exists()


def test_a_failure_in_the_middle_of_a_stage_is_one_sentence(config: str, tmp_path: Path) -> None:
    """The judge takes what is tried beforehand, and fails on what comes later."""
    judge = cross_encoder(tmp_path / "judge")
    real = cross_encoders.CrossEncoderJudge._score

    def fail(self: cross_encoders.CrossEncoderJudge, pairs: list[tuple[str, str]]) -> object:
        if len(pairs) > 5:
            raise RuntimeError("CUDA: an illegal memory access\nwas encountered")
        return real(self, pairs)

    with mock.patch.object(cross_encoders.CrossEncoderJudge, "_score", fail):
        ended = mine(config, tmp_path / "out", f"judge.model={judge}")
    assert ended.code == 4, ended.err
    assert "Traceback" not in ended.err
    assert ended.err.count("error: ") == 1
    assert "an illegal memory access" in ended.err and "judge.device" in ended.err
    assert list((tmp_path / "out" / "work" / "embed").glob("*/part-*"))


def test_another_threshold_loads_no_model(config: str, tmp_path: Path) -> None:
    judge = f"judge.model={cross_encoder(tmp_path / 'judge')}"
    assert mine(config, tmp_path / "out", judge).code == 0

    def loaded(*_: object) -> None:
        raise AssertionError("a model was loaded")

    encoders._load_once.cache_clear()
    judges._load_once.cache_clear()
    policies = "policies.judge_calibrated_threshold.positives_above=0.1"
    with (
        mock.patch.object(encoders.SentenceTransformerEncoder, "_load", loaded),
        mock.patch.object(cross_encoders, "_load", loaded),
    ):
        ended = mine(config, tmp_path / "out", judge, policies)
    assert ended.code == 0, ended.err
