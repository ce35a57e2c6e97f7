"""`--for`: each loss and trainer gets what it can use, and is told what it cannot."""

import re
from pathlib import Path

import pytest

from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters import USES, Options, every_format, export, for_use
from tests.builders import Layout
from tests.transforms.exporters.test_exporters import source_of
from tests.transforms.exporters.test_formats import WIDE, place


@pytest.mark.parametrize("name", USES)
def test_every_use_is_exported_from_a_judged_run(name: str, tmp_path: Path) -> None:
    source = source_of(tmp_path / "out")
    format, options = for_use(None, Options(use=name), has_lists=False)
    assert format in every_format()
    if options.ranking:
        pytest.skip("tests/jobs/export has rankings")
    report = export(source, format, place(format, tmp_path), options)
    expected = 7 if format in WIDE else 8
    assert report.queries.written == expected
    if USES[name].scores != "may":
        assert (report.scores is not None) == (USES[name].scores == "must")


def test_names_are_known_in_any_case_and_short() -> None:
    for name in ("MNRL", "mnrl", "MultipleNegativesRankingLoss", "multiple-negatives-ranking-loss"):
        assert for_use(None, Options(use=name), False)[0] == "n_tuple"
    assert for_use(None, Options(use="CachedMNRL"), False)[0] == "n_tuple"
    assert for_use(None, Options(use="ms_swift"), False)[0] == "ms_swift"
    with pytest.raises(ConfigError, match="--for 'SoftmaxLoss': there are Multiple"):
        for_use(None, Options(use="SoftmaxLoss"), False)
    with pytest.raises(ConfigError, match="say what is to be written"):
        for_use(None, Options(), False)


def test_what_a_loss_cannot_use_is_one_sentence_with_what_to_do(tmp_path: Path) -> None:
    for options, format, words in (
        (Options(use="MNRL", scores=True), None, "reads no scores; leave out --scores, or use Ma"),
        (Options(use="pylate", scale="raw"), None, "leave out --scale, or use pylate-kd"),
        (Options(use="MarginMSE"), "flagembedding", "reads n_tuple, triplet, not flagembedding"),
    ):
        with pytest.raises(ConfigError, match=words):
            for_use(format, options, False)
    bare = source_of(tmp_path / "bare", Layout(judge=False))
    for name in ("MarginMSELoss", "DistillKLDivLoss", "pylate-kd", "CrossEncoder.MarginMSELoss"):
        format, options = for_use(None, Options(use=name), False)
        with pytest.raises(ConfigError, match="learns from a teacher's scores, and run run-1 has"):
            export(bare, format, place(format, tmp_path), options)


def test_distillation_gets_teacher_lists_where_there_are_any() -> None:
    assert for_use(None, Options(use="MarginMSE"), True)[1].lists
    assert not for_use(None, Options(use="MarginMSE"), False)[1].lists
    assert not for_use(None, Options(use="MarginMSE", tiers=("hard",)), True)[1].lists


def test_each_loss_has_its_scale() -> None:
    scales = {
        name: for_use(None, Options(use=name, scores=True), False)[1].scale
        for name, use in USES.items()
        if use.scores != "never"
    }
    assert scales["MarginMSELoss"] == scales["DistillKLDivLoss"] == "student"
    assert scales["CrossEncoder.MarginMSELoss"] == scales["ListNetLoss"] == "raw"
    assert scales["BinaryCrossEntropyLoss"] == scales["LambdaLoss"] == "unit"
    chosen = for_use(None, Options(use="LambdaLoss", scores=True, scale="raw"), False)[1]
    assert chosen.scale == "raw"


def test_the_guide_says_the_same_of_every_use() -> None:
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \| (never|may|must) \| ([^|]*)\|$", page, re.M)
    told = {
        name: (tuple(re.findall(r"`([^`]+)`", formats)), scores, scale.strip().strip("`"))
        for names, formats, scores, scale in rows
        for name in re.findall(r"`([^`]+)`", names)
    }
    assert told == {
        name: (
            (use.format, *use.formats),
            use.scores,
            "" if use.scores == "never" else use.scale,
        )
        for name, use in USES.items()
    }


def test_the_guide_names_every_format() -> None:
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")
    table = page.partition("## Formats")[2].partition("\nNegatives are hardest first")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    assert named == set(every_format())
