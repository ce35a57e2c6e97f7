"""`negmine pairs --with`: pairs of two collections that nobody labelled, and a run of them."""

import json
from pathlib import Path

import pytest

from negmine.jobs.pairs.find import together
from negmine.schemas.errors import DataError
from tests.jobs.collections import WORDS, Ended, negmine, static_student
from tests.transforms.input_files import write_lines

COUNT = 30


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of four words, and the same words in another order; ten of each side are alone."""
    base = tmp_path_factory.mktemp("find")
    static_student(base / "student")

    def text(at: int, step: int) -> str:
        words = [WORDS[n % 20] for n in (at, at // 20 + 3 * at, at * at + 7, 11 * at)]
        return " ".join(words[step:] + words[:step])

    for name, first in (("left", 0), ("right", 10)):
        rows = [
            {"_id": f"{name}-{at:02}", "text": text(at, first // 10)}
            for at in range(first, first + COUNT)
        ]
        write_lines(base / f"{name}.jsonl", rows)
    return base


def found(base: Path, folder: Path, *options: str) -> Ended:
    return negmine(
        "pairs",
        str(base / "left.jsonl"),
        "--with",
        str(base / "right.jsonl"),
        *("--student", str(base / "student"), "--output", str(folder.parent / "out")),
        *("--set", "student.device=cpu", "--judge", "none", "--beir", str(folder)),
        *options,
    )


def test_pairs_are_found_and_mined(base: Path, tmp_path: Path) -> None:
    ended = found(base, tmp_path / "found", "--json")
    assert ended.code == 0, ended.err
    assert f"{base / 'left.jsonl'}: {COUNT} texts, embedded as queries" in ended.err
    shown = ended.err + ended.progress
    assert not any(word in shown for word in ("negmine-pairs", "judgement", "positive", "config"))
    told = json.loads(ended.out)
    assert told["left"] == told["right"] == COUNT
    lines = (tmp_path / "found/qrels/train.tsv").read_text().splitlines()[1:]
    pairs = [line.split("\t")[:2] for line in lines]
    assert len(pairs) == told["pairs"] > 5
    right = [left[-2:] == other[-2:] for left, other in pairs]
    assert sum(right) / len(right) > 0.8
    ended = negmine(
        "mine",
        str(tmp_path / "found"),
        *("--split", "train", "--student", str(base / "student"), "--judge", "none"),
        *("--output", str(tmp_path / "mined"), "--set", "student.device=cpu"),
    )
    assert ended.code == 0, ended.err


def test_no_pair_is_said_and_nothing_is_written(base: Path, tmp_path: Path) -> None:
    ended = found(base, tmp_path / "found", "--least", "50")
    assert ended.code == 3
    assert "give a lower --least" in ended.err
    assert not (tmp_path / "found").exists()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"_id": "a", "text": None}, "text is missing"),
        ({"_id": "a", "text": ["x", "y"]}, "text is list, expected text"),
        ({"_id": "a", "text": " "}, "text is empty"),
        ({"_id": "left-01", "text": "x"}, "was the _id of another text before"),
    ],
)
def test_what_is_no_text_is_named_with_its_line(
    base: Path, tmp_path: Path, row: dict[str, object], reason: str
) -> None:
    text = (base / "left.jsonl").read_text()
    with pytest.raises(DataError, match=f"left.jsonl, line {COUNT + 1}: .*{reason}"):
        write_lines(tmp_path / "left.jsonl", [*text.splitlines(), row])
        together(tmp_path / "left.jsonl", base / "right.jsonl", tmp_path / "both", 1000)


def test_options_of_the_other_kind_are_refused(base: Path, tmp_path: Path) -> None:
    ended = found(base, tmp_path / "found", "--quarantine", "3")
    assert ended.code == 2 and "--quarantine is about given pairs" in ended.err
    ended = found(base, tmp_path / "found", "--split", "dev")
    assert ended.code == 2 and "--split is about data" in ended.err
