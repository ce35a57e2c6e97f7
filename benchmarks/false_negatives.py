"""False negatives of each mining method, counted against known positives that were hidden from it.

    python benchmarks/false_negatives.py FOLDER --split test --out DIR --plot FILE.svg

FOLDER is a BEIR folder. Setting A keeps one known positive a query and hides the others; setting B
hides 30 % of them. The reduced collection is mined by this pipeline, by sentence-transformers' own
mine_hard_negatives and naively, all over the same vectors. A negative that is a hidden positive is
false; unlabelled positives are not seen, so rates are lower bounds, for every method alike. A hard
negative is one whose similarity under the student is at least 0.8 of the served positive's; those
that are not above the positive itself are counted too, for sentence-transformers' margins allow no
others.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._hidden_positives import Positives, read_positives, split_positives, write_reduced
from benchmarks._measures import Measured, claims, measure
from benchmarks._report import as_json, markdown, plain, plot, share_of
from benchmarks._selections import (
    DEFAULT_SHARE,
    SAMPLING,
    SHARES,
    ST_SETTINGS,
    Bench,
    Selection,
    SentenceTransformersMiner,
    calibrated,
    default,
    judge_name,
    naive,
    ours,
    rocketqa,
)
from negmine.schemas.errors import NegmineError
from negmine.schemas.judges import judge_of


def parse_judge(text: str) -> dict[str, Any]:
    """`KIND`, `KIND=MODEL` or a YAML mapping, as the config's `judge` section."""
    if text.startswith("{"):
        judge = dict(yaml.safe_load(text))
    else:
        kind, _, model = text.partition("=")
        judge = {"kind": kind, **({"model": model} if model else {})}
    judge_of(**judge)
    return judge


def selections(bench: Bench, sampling: Sequence[str]) -> Iterator[Selection | str]:
    """What every method takes, sweeps of our threshold excepted."""
    yield naive(bench)
    theirs = SentenceTransformersMiner(bench)
    for parameters in ST_SETTINGS:
        yield theirs.mine(parameters)
    for judge in bench.judges:
        yield default(bench, judge)
        yield from rocketqa(bench, judge)
        margin = [{"judge_relative_margin": {"keep_below": 0.95}}]
        yield ours(bench, f"ours {judge_name(judge)} margin 0.95", "ours", judge, margin)
        for method in sampling:
            yield calibrated(bench, judge, method, DEFAULT_SHARE)


def undominated(measured: Sequence[Measured]) -> list[Measured]:
    """Methods that no other beats in both hard negatives and false-negative rate."""
    return [
        m
        for m in measured
        if not any(
            other.hard >= m.hard
            and other.rate <= m.rate
            and (other.hard, -other.rate) != (m.hard, -m.rate)
            for other in measured
        )
    ]


def run_setting(
    bench: Bench, hidden: Positives, sampling: Sequence[str], sweep_all: bool
) -> tuple[list[Measured], list[str]]:
    """Every method measured, and what this version's config does not know."""
    keys = bench.hidden_keys(hidden)
    measured: list[Measured] = []
    skipped: list[str] = []

    def add(found: Selection | str) -> None:
        if isinstance(found, str):
            skipped.append(found)
        else:
            measured.append(measure(bench, found, keys))

    for found in selections(bench, sampling):
        add(found)
    sampled = [m for m in measured if share_of(m) is not None]
    for best in sampled if sweep_all else undominated(sampled):
        parameters = best.selection.parameters
        for share in SHARES:
            if share != DEFAULT_SHARE:
                add(calibrated(bench, parameters["judge"], parameters["sampling"], share))
    return measured, skipped


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", help="a BEIR folder")
    parser.add_argument("--split", default="test", help="which qrels")
    parser.add_argument("--setting", choices=("A", "B", "both"), default="both")
    parser.add_argument("--queries", type=int, metavar="N", help="mine only N, by keyed hash")
    parser.add_argument("--out", metavar="DIR", help="work directory, kept, and results.json")
    parser.add_argument("--negatives", type=int, default=5, help="negatives a query")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="SVG; -A, -B for two settings")
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="the student")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument(
        "--judge",
        action="append",
        type=parse_judge,
        metavar="KIND[=MODEL]|YAML",
        help="repeatable; the first one's best positive is the served one; "
        "default fusion and late_interaction",
    )
    parser.add_argument("--sampling", nargs="+", default=SAMPLING, metavar="METHOD", help="ours")
    parser.add_argument("--sweep-all", action="store_true", help="sweep beaten methods too")
    return parser.parse_args(arguments)


def run(given: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Measure and print every setting; returns what results.json holds."""
    positives = read_positives(given.folder, given.split, str(out))
    judges = given.judge or [{"kind": "fusion"}, {"kind": "late_interaction"}]
    results: dict[str, Any] = {}
    for setting in ("A", "B") if given.setting == "both" else (given.setting,):
        known, hidden = split_positives(positives, setting, given.seed, given.queries)
        if not len(hidden.doc_id):
            print(f"setting {setting}: no query has two known positives, so none can be hidden")
            continue
        folder = write_reduced(given.folder, given.split, known, out / f"setting-{setting}")
        student = {"model": given.model, "precision": given.precision}
        bench = Bench(str(folder), str(out), judges, given.negatives, given.seed, student)
        measured, skipped = run_setting(bench, hidden, given.sampling, given.sweep_all)
        queries = bench.base.rows("queries")
        title = (
            f"{Path(given.folder).resolve().name}, setting {setting}: {queries} queries, "
            f"{len(bench.text_key):,} documents, {len(known.doc_id)} positives known, "
            f"{len(hidden.doc_id)} hidden"
        )
        found = claims(measured, given.seed)
        print(f"\n{title}\n\n{markdown(measured)}\n")
        for line in skipped:
            print(f"not in this version's config: {line}")
        for claim in found:
            print(f"{'holds' if claim['holds'] else 'does NOT hold'}: {claim['text']}")
        if given.plot:
            name = given.plot
            if given.setting == "both":
                name = name.with_name(f"{name.stem}-{setting}{name.suffix or '.svg'}")
            name.write_text(plot(title, measured), encoding="utf-8")
        results[setting] = {
            "title": title,
            "methods": [as_json(m) for m in measured],
            "claims": plain(found),
            "skipped": skipped,
        }
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    with contextlib.ExitStack() as stack:
        if given.out is None:
            out = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="negmine-")))
        else:
            out = Path(given.out)
            out.mkdir(parents=True, exist_ok=True)
        try:
            results = run(given, out)
        except NegmineError as error:
            raise SystemExit(f"error: {error}") from error
        if given.out is not None:
            text = json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False)
            (out / "results.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
