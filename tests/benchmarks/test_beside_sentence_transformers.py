"""The real mine_hard_negatives and ours, under the same rule: the same negatives, row by row."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks._same_rule import (
    Compared,
    Rule,
    compare,
    looked_up,
    our_negatives,
    their_negatives,
    vectors_of,
)
from negmine.jobs.mining.run import MiningRun
from negmine.schemas.config import Config
from negmine.schemas.config.policy_list import with_promises
from negmine.schemas.policies import Policy
from negmine.schemas.selection import Selection
from negmine.transforms.choosing.select import select_block
from tests.jobs.collections import document, static_student
from tests.transforms.input_files import write_beir

pytest.importorskip("datasets", reason="mine_hard_negatives needs the package datasets")
PRESET = Path(__file__).parents[2] / "jobs" / "presets" / "mine_hard_negatives.yaml"
DOCUMENTS, QUERIES = 60, 12
PAIRS = [(q, d) for q in range(QUERIES) for d in range(q, q + 1 + q % 3)]
"""Queries of one, two and three positives."""


@dataclass(frozen=True)
class Sides:
    """A run that judged nothing yet dropped nothing, and a model with its vectors."""

    run: MiningRun
    model: Any
    documents: list[str]
    known: list[tuple[str, str]]

    def compared(self, rule: Rule) -> Compared:
        """Both sides under the rule; ours selects again from the run's candidates."""
        most = 3
        sections = rule.sections(most)
        depth = {"rank_window": {"source": "dense", "max": sections["sources"]["dense"]["depth"]}}
        asked = [Policy.model_validate(entry) for entry in (depth, *sections["policies"])]
        config = Config.model_validate({**self.run.config.model_dump(), "tiers": sections["tiers"]})
        parts = Selection.of(config)
        selection = Selection(with_promises(asked), parts.tiers, parts.sampling, parts.seed)
        judged = self.run.judged.read()
        arrays = self.run.collection.document_arrays()
        ours, own = our_negatives(self.run, select_block(judged, selection, arrays))
        return compare(their_negatives(self.model, self.documents, self.known, rule), ours, own)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    base = tmp_path_factory.mktemp("beside")
    texts = [document(at) for at in range(DOCUMENTS)]
    asked = [" ".join(document(at).split()[:2]) + f" {at}" for at in range(QUERIES)]
    write_beir(
        base / "collection",
        [{"_id": f"d{at:04}", "text": text} for at, text in enumerate(texts)],
        [{"_id": f"q{at:04}", "text": text} for at, text in enumerate(asked)],
        [(f"q{q:04}", f"d{d:04}", 1) for q, d in PAIRS],
    )
    student = static_student(base / "student")
    preset = yaml.safe_load(PRESET.read_text())
    preset["input"] = {"format": "beir", "path": str(base / "collection")}
    preset["student"] |= {"model": str(student), "device": "cpu"}
    run = MiningRun(Config.model_validate({**preset, "output": {"path": str(base / "out")}}))
    run.run_until("select")
    yield Sides(run, looked_up(vectors_of(run)), texts, [(asked[q], texts[d]) for q, d in PAIRS])


def test_the_preset_is_the_rule_of_its_comments(sides: Sides) -> None:
    rule = Rule(num_negatives=3, range_max=100, relative_margin=0.05)
    ours, own = our_negatives(sides.run)
    found = compare(their_negatives(sides.model, sides.documents, sides.known, rule), ours, own)
    assert found.same_queries == found.queries == QUERIES
    assert found.same == found.theirs == found.ours > 0


shares = st.sampled_from([None, 0.0, 0.05, 0.3])
rules = st.builds(
    Rule,
    num_negatives=st.integers(1, 4),
    range_min=st.integers(0, 5),
    range_max=st.one_of(st.none(), st.integers(9, 20)),
    max_score=st.sampled_from([None, 0.4, 0.8]),
    min_score=st.sampled_from([None, -0.2, 0.1]),
    absolute_margin=shares,
    relative_margin=shares,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rules)
def test_equal_rules_give_equal_negatives_in_equal_order(sides: Sides, rule: Rule) -> None:
    found = sides.compared(rule)
    assert found.theirs == found.ours
    assert found.same + found.ties == found.theirs
    assert found.unexplained == found.dropped == found.moved == 0


def test_what_only_ours_drops_is_counted_and_explained(tmp_path: Path) -> None:
    """Copies in other white space, the query as a document; near-duplicates where asked for."""
    texts = [document(at) for at in range(40)]
    asked = [" ".join(texts[at].split()[:3]) for at in range(3)]
    positives = [texts[at] for at in range(3)]
    wider = [text.replace(" ", "  ") for text in (positives[0], texts[20])]
    others = [*wider, asked[1], f"{positives[2]} lunor"]
    corpus = [*texts, *others]
    write_beir(
        tmp_path / "collection",
        [{"_id": f"d{at:04}", "text": text} for at, text in enumerate(corpus)],
        [{"_id": f"q{at:04}", "text": text} for at, text in enumerate(asked)],
        [(f"q{at:04}", f"d{at:04}", 1) for at in range(3)],
    )
    rule = Rule(num_negatives=9)
    sections = rule.sections(1)
    student = {"model": str(static_student(tmp_path / "student")), "device": "cpu"}
    config = {
        **sections,
        "policies": [{"near_duplicate_of_positive": {}}, *sections["policies"]],
        "input": {"format": "beir", "path": str(tmp_path / "collection")},
        "student": student | {"precision": "fp32"},
        "output": {"path": str(tmp_path / "out")},
    }
    run = MiningRun(Config.model_validate(config))
    run.run_until("select")
    ours, own = our_negatives(run)
    assert {"same_text_as_positive", "query_itself", "near_duplicate_of_positive"} <= set(
        own.values()
    )
    model, known = looked_up(vectors_of(run)), list(zip(asked, positives, strict=True))
    found = compare(their_negatives(model, corpus, known, rule), ours, own)
    assert found.dropped >= 3
    assert found.unexplained == 0
    assert found.same + found.ties + found.dropped + found.moved >= found.theirs


def test_a_limit_ours_lacks_is_found_out(sides: Sides) -> None:
    """The comparison can fail: without their margin it does."""
    rule = Rule(num_negatives=3, range_max=20)
    ours, own = our_negatives(sides.run)
    found = compare(their_negatives(sides.model, sides.documents, sides.known, rule), ours, own)
    assert found.unexplained > 0
