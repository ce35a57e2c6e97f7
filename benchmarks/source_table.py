"""What each further source of candidates is worth: one of five negatives from it, then training.

    python benchmarks/source_table.py FOLDER --out DIR --division split
    python benchmarks/source_table.py FOLDER --out DIR --division one-known --sets "cluster;memory"

FOLDER and the options are those of `training_gain.py run`. Every set is the default's but for its
first negative, which is the first of the source that passes the policies; where the source has none
the default fills up. `random` is what the others have to beat. Of `memory` the earlier run is one
that another student mined (`--earlier`); `same_document` is for collections whose corpus.jsonl has
group_id and group_place.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.gain.jobs import read_lines
from benchmarks.gain.students import static_folder
from benchmarks.gain.table import gains
from benchmarks.training_gain import collection_of, mined, options

BESIDE = "tiers.hard.quota=4;tiers.hard.min_ratio=0.8;tiers.semi_hard.quota=0"
SOURCES = {
    "random": ("random", ""),
    "random, hubs": ("random", "sources.random.weight=hubs"),
    "random, no hubs": ("random", "sources.random.weight=no_hubs"),
    "cluster": ("cluster", "sources.cluster.count=10"),
    "memory": ("memory", "sources.memory.runs=[{earlier}]"),
    "same_document": ("same_document", "sources.same_document.count=10"),
}
"""Name in the table to source and settings."""


def setting(name: str, earlier: Path) -> str:
    """What `training_gain.py --ours` is told for a set."""
    source, more = SOURCES[name]
    told = (
        more.format(earlier=earlier),
        f"tiers.first.quota=1;tiers.first.source={source}",
        BESIDE,
    )
    return ";".join(filter(None, told))


def table(args: argparse.Namespace, sets: dict[str, str]) -> str:
    """Markdown: a row a set."""
    collection = collection_of(args)
    lines = read_lines(args.out / f"{collection.name}-{Path(args.student).name}-{args.loss}.jsonl")
    told = args.out / f"{collection.name}-{Path(args.student).name}-{args.loss}.sets.json"
    known = json.loads(told.read_text())[collection.name]
    lines = [one for one in lines if known.get(one["set"], {}).get("made_of") == one.get("made_of")]
    found = gains(lines, "ours")
    student = str(static_folder(args.out / "static")) if args.student == "static" else args.student
    out = ["| first of five | false negatives | shortcut AUC | cosine | gain | keep by default |"]
    out.append("|---|---|---|---|---|---|")
    for name, settings in {"ours": "", **sets}.items():
        metrics = pq.read_table(mined(collection, args, student, settings) / "metrics.parquet")
        chosen = metrics.filter(pc.equal(metrics["metric"], "shortcut_auc"))
        auc = chosen["value"].to_pylist()[0] if chosen.num_rows else float("nan")
        gain = found[collection.name, name]
        worth = (
            f"{gain.value:.3f}" if name == "ours" else f"{gain.difference:+.3f} ± {gain.error:.3f}"
        )
        keep = "" if name == "ours" else "yes" if gain.difference > gain.error else "no"
        cells = f"{known[name]['false']:.1%} | {auc:.2f} | {known[name]['signal']:.2f}"
        out.append(f"| {name} | {cells} | {worth} | {keep} |")
    return "\n".join(out)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--out", required=True)
    parser.add_argument(
        "--sets", default="random;random, hubs;random, no hubs;cluster;memory", help="by semicolon"
    )
    parser.add_argument("--earlier", default="all-MiniLM-L6-v2", help="student of the earlier run")
    own, others = parser.parse_known_args(arguments)
    named = ["run", own.folder, "--out", own.out, "--baseline", "ours", *others]
    args = options().parse_args(named)
    args.set.append(f"output.workdir={args.out}/work/{args.folder.name}")
    collection = collection_of(args)
    earlier = mined(collection, args, own.earlier, "") if "memory" in own.sets else Path()
    sets = {name: setting(name, earlier) for name in SOURCES if name in own.sets.split(";")}
    args.ours += [f"{name}:{settings}" for name, settings in sets.items()]
    args.sets = ["ours", *sets]
    args.act(args)
    print(table(args, sets))
    return 0


if __name__ == "__main__":
    sys.exit(main())
