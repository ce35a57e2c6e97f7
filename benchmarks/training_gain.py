"""What negative sets are worth: the same student trained with each, compared by query.

    python benchmarks/training_gain.py run FOLDER --out DIR --division split
    python benchmarks/training_gain.py run FOLDER --out DIR --division one-known --student static
    python benchmarks/training_gain.py table DIR/*.jsonl --baseline "st .05" --plot gain.svg

FOLDER is a BEIR folder. `split` trains on one split and evaluates on another, `folds` holds out
each part of one split's queries in turn, `one-known` does that while mining and training see one
positive a query. Our pipeline mines the folder; what others would take is made from the ledger of
that run, from the same candidates. `--ours NAME:KEY=VALUE;...` adds sets of other settings, `--run`
a published run, `--file` somebody else's negatives. Every job is one JSON line of DIR's file, and
the command given again goes on where it was cut. The student `static` is a table of token vectors:
seconds a job on one core. Any other student is a folder or name of sentence-transformers, trained
on CUDA where there is a card (`--processes` share it), else on the CPU.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.gain.collection import Collection, read_collection
from benchmarks.gain.jobs import UNTRAINED, Comparison, read_lines, run
from benchmarks.gain.losses import LOSSES
from benchmarks.gain.measures import correlation_table, correlations, measures
from benchmarks.gain.negative_sets import (
    Ledger,
    NegativeSet,
    baselines,
    check_known,
    false_share,
    from_file,
    made,
    published,
    published_weights,
)
from benchmarks.gain.plot import gain_plot
from benchmarks.gain.students import static_folder
from benchmarks.gain.table import gains, markdown
from benchmarks.gain.training import Settings

SMALL = 500
"""Pairs below which a collection is trained on in smaller batches and for longer."""


def mined(collection: Collection, args: argparse.Namespace, student: str, extra: str) -> Path:
    """Folder of the run that our pipeline publishes with these settings; made once."""
    from negmine.jobs.mining.publish import mine
    from negmine.schemas.config import Config

    path, split = collection.mined
    values: dict[str, Any] = {
        "input": {"format": "beir", "path": path, "split": split, "bad_rows": 1.0},
        "student": {"model": student},
        "judge": {"kind": "fusion", "model": "all-MiniLM-L6-v2"},
        "output": {"path": str(args.out / "runs" / collection.name / Path(student).name)},
    }
    for setting in (*args.set, *filter(None, extra.split(";"))):
        key, _, text = setting.partition("=")
        at = values
        *parents, last = key.split(".")
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = yaml.safe_load(text)
    config = Config.model_validate(values)
    done = Path(config.output.path) / "made.json"
    made = json.loads(done.read_text()) if done.is_file() else {}
    key = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    if key not in made or not Path(made[key]).is_dir():
        made[key] = str(mine(config).path)
        done.write_text(json.dumps(made, indent=1))
    return Path(made[key])


def collection_of(args: argparse.Namespace) -> Collection:
    """The collection that the options name, divided as they say."""
    division = (args.train, args.test, args.folds, args.queries)
    return read_collection(args.folder, args.division, args.out, *division)


def comparison(args: argparse.Namespace) -> tuple[Comparison, dict[str, dict[str, Any]]]:
    """The jobs to run, and what is known of each set beforehand."""
    collection = collection_of(args)
    static = args.student == "static"
    student = str(static_folder(args.out / "static")) if static else args.student
    first = mined(collection, args, student, "")
    ledger = Ledger(first)
    sets: dict[str, NegativeSet | None] = {UNTRAINED: None}
    sets |= baselines(ledger, args.negatives)
    sets["ours"] = published(first)
    weights = {"ours": published_weights(first)}
    for text in args.ours:
        name, _, settings = text.partition(":")
        folder = mined(collection, args, student, settings)
        collection = replace(collection, made={**collection.made, **made(folder)})
        sets[name], weights[name] = published(folder), published_weights(folder)
    foreign: dict[str, NegativeSet] = {}
    for text in args.run:
        name, _, output = text.partition("=")
        foreign[name] = published(_run_folder(Path(output)))
    for text in args.file:
        name, _, file = text.partition("=")
        foreign[name] = from_file(Path(file))
    for name, negatives in foreign.items():
        check_known(name, negatives, collection.known, collection.documents)
    sets |= foreign
    if args.sets:
        unknown = set(args.sets) - sets.keys()
        if unknown:
            raise SystemExit(f"no set {', '.join(sorted(unknown))}; there are {', '.join(sets)}")
        sets = {name: sets[name] for name in args.sets}
    # No set has the advantage of longer lists.
    sets = {n: s and {q: ds[: args.negatives] for q, ds in s.items()} for n, s in sets.items()}
    pairs = sum(map(len, collection.known.values()))
    small = pairs < SMALL
    settings = Settings(
        args.per_step,
        args.batch or (16 if small else 32),
        args.epochs or ((6 if small else 5) if static else (4 if small else 3)),
        args.loss,
    )
    model = Path(student) if static else folder_of(student)
    teacher = ledger.teacher() if args.loss in {"margin-mse", "kl"} else {}
    student_name = Path(args.student).name
    jobs = Comparison(
        collection,
        sets,
        teacher,
        student_name,
        model,
        static,
        settings,
        args.seeds,
        args.longest,
        weights,
    )
    queries = len(collection.known)
    told = {
        name: {
            "made_of": jobs.made_of[name],
            "false": false_share(negatives or {}, collection.hidden),
            **(measures(ledger, negatives, queries) if negatives is not None else {}),
        }
        for name, negatives in sets.items()
    }
    return jobs, told


def folder_of(model: str) -> Path:
    """Folder of a model that is named, or itself given, to train from."""
    if Path(model).is_dir():
        return Path(model)
    from negmine.transforms.models.weights import find_folder

    return find_folder(model)


def _run_folder(folder: Path) -> Path:
    from negmine.jobs.runs.published import find_run

    return find_run(str(folder)).path


def _run(args: argparse.Namespace) -> int:
    args.out.mkdir(parents=True, exist_ok=True)
    jobs, told = comparison(args)
    file = args.out / f"{jobs.collection.name}-{jobs.name}-{args.loss}.jsonl"
    file.with_suffix(".sets.json").write_text(json.dumps({jobs.collection.name: told}, indent=1))
    count = run(jobs, file, args.processes)
    print(f"{count} jobs run, in {file}")
    args.lines, args.plot = [file], None
    return _table(args)


def _table(args: argparse.Namespace) -> int:
    lines: list[dict[str, Any]] = []
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for file in args.lines:
        beside = file.with_suffix(".sets.json")
        known = {}
        if beside.is_file():
            for collection, sets in json.loads(beside.read_text()).items():
                known |= {(collection, name): values for name, values in sets.items()}
        told |= known
        # A set that was made anew under its name has other lines than before.
        for line in read_lines(file):
            now = known.get((line["collection"], line["set"]))
            if now is None or now.get("made_of") == line.get("made_of"):
                lines.append(line)
    false = {key: values["false"] for key, values in told.items()}
    found = gains(lines, args.baseline)
    if not any(name == args.baseline for _, name in found):
        names = dict.fromkeys(name for _, name in found)
        raise SystemExit(f"no set {args.baseline!r} to compare with; there are {', '.join(names)}")
    print(f"nDCG@10 of {args.baseline!r}; of the others the difference to it, paired by query, ")
    print("± 1.96 standard errors; bold where it is larger. In brackets: hidden positives.\n")
    print(markdown(found, args.baseline, false))
    scored = {key: values for key, values in told.items() if "eci" in values}
    if scored:
        print("\nSpearman with the gain, over the sets of a collection:\n")
        print(correlation_table(correlations(found, scored)))
    if args.plot:
        args.plot.write_text(gain_plot(found, args.baseline), encoding="utf-8")
        print(f"\n{args.plot}")
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def options() -> argparse.ArgumentParser:
    """The options of both commands; `act` of what is parsed runs it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    do = commands.add_parser("run", help="mine, train what is missing, print the table")
    do.add_argument("folder", type=Path, help="BEIR folder")
    do.add_argument("--out", type=Path, required=True, help="runs, models and results go there")
    do.add_argument("--division", choices=("split", "folds", "one-known"), default="split")
    do.add_argument("--train", default="train", help="split to train on")
    do.add_argument("--test", default="test", help="split to evaluate on, or to cut into folds")
    do.add_argument("--folds", type=int, default=5, help="parts of the queries")
    do.add_argument("--queries", type=int, help="training queries to use, drawn by keyed hash")
    do.add_argument("--student", default="static", help="static, or a model's folder or name")
    do.add_argument("--loss", choices=tuple(LOSSES), default="mnrl")
    do.add_argument("--negatives", type=int, default=5, help="longest list of a query")
    do.add_argument("--per-step", type=int, default=3, help="of them in a step, drawn each epoch")
    do.add_argument("--batch", type=int, help="pairs in a step")
    do.add_argument("--epochs", type=int)
    do.add_argument("--seeds", type=int, default=1)
    do.add_argument("--longest", type=int, default=256, help="tokens that a transformer reads")
    do.add_argument("--processes", type=int, default=1)
    do.add_argument("--set", action="append", default=[], help="setting of every run of ours")
    do.add_argument("--ours", action="append", default=[], help="NAME:KEY=VALUE;KEY=VALUE")
    do.add_argument("--run", action="append", default=[], help="NAME=OUTPUT, a published run")
    do.add_argument("--file", action="append", default=[], help="NAME=FILE.jsonl of negatives")
    do.add_argument("--sets", type=_names, help="only these, by comma")
    do.add_argument("--baseline", default="st .05")
    do.set_defaults(act=_run)
    show = commands.add_parser("table", help="the table of files written by run")
    show.add_argument("lines", type=Path, nargs="+")
    show.add_argument("--baseline", default="st .05")
    show.add_argument("--plot", type=Path, help="SVG to write")
    show.set_defaults(act=_table)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    args = options().parse_args(arguments)
    return int(args.act(args))


if __name__ == "__main__":
    sys.exit(main())
