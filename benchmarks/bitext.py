"""Which pairs of two languages belong together: ratio margin against plain cosine.

    python benchmarks/bitext.py data/xquad-r --vectors FOLDER en-de en-zh es-ru ar-hi
    python benchmarks/bitext.py data/xquad-r --student MODEL en-de en-es

The questions of XQuAD-R are the same in every language. Of each pair of languages half of the
questions, drawn by keyed hash, are in both, a quarter only on the left and a quarter only on the
right, so a method has to say which have no partner. It proposes a pair for every left question (or
for those that are mutually best), highest score first; shown is the share of right ones among as
many pairs as 25, 50, 75 and 100 % of the true ones. FOLDER holds LANG.npy, a row a question, by the
identifier behind the language.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.measures.margins import Confidence, Margins, find_pairs
from negmine.transforms.pairs.hold_out import wilson

COVERAGE = (0.25, 0.5, 0.75, 1.0)
DEVIATIONS = (2, 3, 4)
_KEY = 0x626974657874

Proposed = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Left and right positions (p,), and scores (p,)."""


def questions(folder: Path) -> dict[str, dict[str, str]]:
    """Texts by language and question."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    with open(folder / "queries.jsonl", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            found[row["lang"]][row["_id"].partition("-")[2]] = row["text"]
    return found


def encoded(texts: dict[str, str], student: str) -> np.ndarray:
    """Vectors of a language's questions, by identifier."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(student)
    ordered = [texts[name] for name in sorted(texts)]
    return np.asarray(model.encode(ordered, normalize_embeddings=True), dtype=np.float32)


def proposals(margins: Margins) -> dict[str, Proposed]:
    """What each method takes for pairs."""
    every = np.arange(len(margins.left))
    nearest = margins.forward.ids[:, 0]
    mutual = np.flatnonzero(margins.backward.ids[nearest, 0] == every)
    best = margins.best()[0]
    pairs = margins.mutual()
    return {
        "cosine": (every, nearest, margins.cosine(every, nearest)),
        "cosine, mutual": (mutual, nearest[mutual], margins.cosine(mutual, nearest[mutual])),
        "ratio": (every, best, margins.ratio(every, best)),
        "ratio, mutual": (pairs[:, 0], pairs[:, 1], margins.ratio(pairs[:, 0], pairs[:, 1])),
    }


def precision(right: np.ndarray, score: np.ndarray, count: int) -> str:
    """Share of right pairs (p,) bool among the `count` of highest score, with its interval."""
    taken = right[np.lexsort((np.arange(len(score)), -score))][:count]
    if len(taken) < count:
        return f"- (has {len(taken)})"
    low, high = wilson(int(taken.sum()), count)
    return f"{taken.mean():.3f} [{low:.3f}, {high:.3f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="XQuAD-R in BEIR layout")
    parser.add_argument("pairs", nargs="+", help="languages, as en-de")
    parser.add_argument("--vectors", type=Path, help="folder of LANG.npy")
    parser.add_argument("--student", default="all-MiniLM-L6-v2", help="else a model's folder")
    parser.add_argument("--least", type=float, default=1.04, help="ratio of pairs without labels")
    args = parser.parse_args(arguments)
    texts = questions(args.folder)
    names = sorted(next(iter(texts.values())))
    held: dict[str, np.ndarray] = {}
    for language in dict.fromkeys(lang for pair in args.pairs for lang in pair.split("-")):
        if language not in texts:
            raise SystemExit(f"no language {language!r}; there are {', '.join(sorted(texts))}")
        file = args.vectors and args.vectors / f"{language}.npy"
        held[language] = np.load(file) if file else encoded(texts[language], args.student)
    lot = mix(_KEY, text_keys(names)) % np.uint64(4)
    on_left, on_right = np.flatnonzero(lot != 3), np.flatnonzero(lot != 2)
    true = int((lot < 2).sum())
    print(f"{len(on_left)} questions on the left, {len(on_right)} on the right, {true} in both\n")
    heads = [f"{share:.0%} ({round(share * true)})" for share in COVERAGE]
    print(f"| languages | method | {' | '.join(heads)} |\n|---|---|{'---|' * len(heads)}")
    unlabelled = []
    for pair in args.pairs:
        one, other = pair.split("-")
        left, right = held[one][on_left], held[other][on_right]
        for method, (at, to, score) in proposals(Margins.of(left, right)).items():
            hit = on_left[at] == on_right[to]
            cells = (precision(hit, score, round(share * true)) for share in COVERAGE)
            print(f"| {pair} | {method} | {' | '.join(cells)} |")
        found = find_pairs(left, right, args.least)
        hit = on_left[found.pairs[:, 0]] == on_right[found.pairs[:, 1]]
        once = Margins.of(left, right)
        alone = once.mutual()
        alone = alone[once.ratio(alone[:, 0], alone[:, 1]) >= args.least]
        right_alone = on_left[alone[:, 0]] == on_right[alone[:, 1]]
        unlabelled.append((pair, right_alone, hit, found.rounds))
    print(f"\nPairs without labels, ratio {args.least} or more, mutual:\n")
    print("| languages | one round: pairs, right | rounds agree: pairs, right | each round |")
    print("|---|---|---|---|")
    for pair, alone, hit, rounds in unlabelled:
        cells = (f"{len(h)}, {h.mean():.3f}" if len(h) else "0" for h in (alone, hit))
        print(f"| {pair} | {' | '.join(cells)} | {', '.join(map(str, rounds))} |")
    print(
        "\nGiven pairs, one in ten with another's partner: wrong ones set aside, right ones lost:\n"
    )
    heads = [f"{deviations} deviations" for deviations in DEVIATIONS]
    print(f"| languages | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for pair in args.pairs:
        one, other = pair.split("-")
        print(f"| {pair} | {' | '.join(set_aside(held[one], held[other], names))} |")
    return 0


def set_aside(left: np.ndarray, right: np.ndarray, names: Sequence[str]) -> list[str]:
    """What a quarantine does to pairs of which a tenth, drawn by key, have changed partners."""
    lot = mix(_KEY, 1, text_keys(names))
    changed = np.sort(np.argsort(lot)[: len(names) // 10])
    partner = np.arange(len(names))
    partner[changed] = np.roll(changed, 1)
    wrong = partner != np.arange(len(names))
    found = Confidence.of(Margins.of(left, right), np.arange(len(names)), partner)
    aside = [found.ratio < found.limit(deviations) for deviations in DEVIATIONS]
    return [f"{a[wrong].mean():.3f}, {a[~wrong].mean():.3f}" for a in aside]


if __name__ == "__main__":
    sys.exit(main())
