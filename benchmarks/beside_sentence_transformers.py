"""Our negatives beside those of sentence-transformers' mine_hard_negatives, row by row.

    python benchmarks/beside_sentence_transformers.py [--collection data/scifact] [--split train]

The real function and ours get the same texts, positives and embeddings, and under each setting the
same rule. A row is a query and a place. Printed as Markdown: rows that are equal, and for those
that are not, why.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._hidden_positives import beir
from benchmarks._peer_miners import read_collection
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

RULES = {
    "num_negatives=5": Rule(5),
    "relative_margin=.05, range_max=100": Rule(5, range_max=100, relative_margin=0.05),
    "absolute_margin=.1": Rule(5, absolute_margin=0.1),
    "max_score=.6, min_score=.3, range_max=100": Rule(5, 0, 100, max_score=0.6, min_score=0.3),
    "range_min=10, range_max=50": Rule(5, 10, 50),
    "range_min=10, range_max=50, relative_margin=.05": Rule(5, 10, 50, relative_margin=0.05),
    "all of them": Rule(5, 5, 60, 0.8, 0.2, 0.02, 0.1),
}
NEAR: list[dict[str, Any]] = [
    {"near_duplicate_of_positive": {}},
    {"near_duplicate_of_negative": {}},
]


def main(words: Sequence[str] | None = None) -> None:
    """Mine with both under each rule and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--collection", default="data/scifact", help="BEIR folder")
    parser.add_argument("--split", default="train", help="its qrels")
    parser.add_argument("--student", default="all-MiniLM-L6-v2", help="embedding model")
    parser.add_argument("--out", default="out/benchmarks/beside", help="keeps embeddings")
    given = parser.parse_args(words)
    documents, known = read_collection(given.collection, given.split)
    positives = [len({d for q, d in known if q == query}) for query in {q for q, _ in known}]
    most, model = max(positives), None
    print("| mine_hard_negatives | queries | rows theirs | ours | equal | ties | ", end="")
    print("ours dropped it | moved up by that | unexplained |")
    print("|---" * 9 + "|")
    near = "num_negatives=5"
    cases = [(name, rule, list[dict[str, Any]]()) for name, rule in RULES.items()]
    for name, rule, more in [*cases, (f"{near}; ours with near-duplicates out", RULES[near], NEAR)]:
        sections = rule.sections(most)
        config = {
            **sections,
            "policies": [*more, *sections["policies"]],
            "input": beir(given.collection, given.split),
            "student": {"model": given.student, "precision": "fp32"},
            "output": {"path": given.out},
        }
        run = MiningRun(Config.model_validate(config))
        run.run_until("select")
        model = model or looked_up(vectors_of(run))
        ours, own = our_negatives(run)
        print(_row(name, compare(their_negatives(model, documents, known, rule), ours, own)))


def _row(name: str, found: Compared) -> str:
    share = f"{found.same:,} ({found.same / max(found.theirs, 1):.2%})"
    counts = (found.ties, found.dropped, found.moved, found.unexplained)
    cells = [f"{found.queries:,}", f"{found.theirs:,}", f"{found.ours:,}", share, *map(str, counts)]
    return f"| `{name}` | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
