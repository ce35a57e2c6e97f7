"""What mining again with the trained student is worth: rounds over rounds, compared by query.

    python benchmarks/second_round.py FOLDER --out DIR --rounds 2 [--cross-fit] [--queries N]
    python benchmarks/second_round.py FOLDER --out DIR --student all-MiniLM-L6-v2 --epochs 3

FOLDER is a BEIR folder with a train and a test split. The student is trained on the first round's
negatives, `negmine refresh` mines with that checkpoint, and so on. Every set is then
trained with twice: from the first weights, and on from the first round's checkpoint. With
`--cross-fit` two checkpoints are trained, each without one fold of the queries, and each query is
mined by the one that did not see it. Results are lines as of training_gain.py.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.gain.collection import Collection, read_collection
from benchmarks.gain.jobs import append_line
from benchmarks.gain.negative_sets import NegativeSet, published
from benchmarks.gain.students import StaticStudent, TransformerStudent, static_folder
from benchmarks.gain.table import gains, markdown
from benchmarks.gain.training import Packed, Settings, train
from benchmarks.training_gain import folder_of, mined
from negmine.transforms.kernels.folds import folds_of_texts
from negmine.transforms.kernels.hashing import fingerprint


def loaded(args: argparse.Namespace, folder: Path) -> StaticStudent | TransformerStudent:
    """The student with the weights of a folder."""
    if args.student == "static":
        return StaticStudent(folder)
    return TransformerStudent(folder, longest=args.longest)


def save(student: StaticStudent | TransformerStudent, folder: Path) -> Path:
    """The student as a sentence-transformers folder."""
    if isinstance(student, TransformerStudent):
        student.model.save(str(folder))
        return folder
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    module = StaticEmbedding(student.tokenizer, embedding_weights=student.table)
    SentenceTransformer(modules=[module], device="cpu").save(str(folder))
    return folder


def without(collection: Collection, fold: int) -> Collection:
    """The collection with the training queries of the other of two folds."""
    names = sorted(collection.known)
    kept = folds_of_texts([collection.queries[name] for name in names], 2) != fold
    known = {name: collection.known[name] for name, keep in zip(names, kept, strict=True) if keep}
    return Collection(
        collection.name,
        collection.documents,
        collection.queries,
        known,
        collection.relevant,
        collection.folds,
        collection.mined,
    )


def checkpoints(
    args: argparse.Namespace, collection: Collection, negatives: NegativeSet, cross_fit: bool
) -> list[Path]:
    """What a round's negatives train from the first weights: one folder, or one a fold."""
    parts = [without(collection, fold) for fold in range(2)] if cross_fit else [collection]
    made = []
    for part in parts:
        known = sorted((query, sorted(documents)) for query, documents in part.known.items())
        student_key = [args.student, args.longest]
        key = fingerprint([student_key, known, sorted(negatives.items()), asdict(args.settings)])
        folder = args.out / "checkpoints" / f"{collection.name}-{key}"
        if not (folder / "modules.json").is_file():
            student = loaded(args, args.base)
            train(Packed(part, student), negatives, {}, args.settings, 0, 0)
            save(student, folder)
        made.append(folder)
    return made


def rounds(args: argparse.Namespace, collection: Collection) -> list[NegativeSet]:
    """The negatives of each round."""
    from negmine.jobs.refresh.request import Request
    from negmine.jobs.refresh.run import refresh
    from negmine.jobs.runs.published import find_run

    base = str(args.base) if args.student == "static" else args.student
    run = mined(collection, args, base, "")
    found = [published(run)]
    for _ in range(1, args.rounds):
        students = tuple(map(str, checkpoints(args, collection, found[-1], args.cross_fit)))
        run = refresh(find_run(str(run)), Request(students, "pinned", (), None)).path
        found.append(published(run))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="BEIR folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--student", default="static", help="static, or a model's folder or name")
    parser.add_argument("--longest", type=int, default=256, help="tokens that a transformer reads")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cross-fit", action="store_true")
    parser.add_argument("--queries", type=int, help="training queries, drawn by keyed hash")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], help="setting of every run")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    args.settings = Settings(3, args.batch, args.epochs)
    static = args.student == "static"
    args.base = static_folder(args.out / "static") if static else folder_of(args.student)
    collection = read_collection(args.folder, "split", args.out, most_queries=args.queries)
    sets = rounds(args, collection)
    (first,) = checkpoints(args, collection, sets[0], cross_fit=False)
    lines = []
    kind = "cross-fitted" if args.cross_fit else "plain"
    for start, folder in (("anew", args.base), ("on", first)):
        packed = Packed(collection, loaded(args, folder))
        for number, negatives in enumerate(sets, 1):
            for seed in range(args.seeds):
                found = train(packed, negatives, {}, args.settings, seed, 0)
                name = f"{start}, round {number}"
                line = {"collection": collection.name, "student": args.student, "set": name,
                        "seed": seed, "fold": 0, "kind": kind, "ndcg": found}  # fmt: skip
                append_line(args.out / f"{collection.name}-rounds-{kind}.jsonl", line)
                lines.append(line)
                print(f"{name}, seed {seed}: {np.mean(list(found.values())):.4f}", flush=True)
    for start in ("anew", "on"):
        mine = [line for line in lines if line["set"].startswith(start)]
        print(markdown(gains(mine, f"{start}, round 1"), f"{start}, round 1"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
