"""Pairs of commands that write in one output, and what would be lost where they disturb each other.

Every check returns faults in words; empty: nothing was lost.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks._interleaved import Ended
from benchmarks.faults import generate
from negmine.transforms.kernels.hashing import mix

DOCUMENTS, QUERIES = 60, 12
PUBLISHED = ("negatives", "ledger", "sets", "metrics.parquet")
CHANGED = "changed while it was read"
Words = list[str]


@dataclass(frozen=True)
class Pair:
    """Two commands of an output folder, and how to see that nothing is lost."""

    name: str
    first: Callable[[Path], Words]
    second: Callable[[Path], Words]
    check: Callable[[Path, Ended, Ended], list[str]]


def _model(folder: Path) -> None:
    """A StaticEmbedding of the collection's words, which loads in no time."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    lines = (folder / "collection" / "corpus.jsonl").read_text().splitlines()
    words = sorted({word for line in lines for word in json.loads(line)["text"].split()})
    vocabulary = {word: at for at, word in enumerate(["[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    table = torch.randn((len(vocabulary), 8), generator=torch.Generator().manual_seed(7))
    module = StaticEmbedding(tokenizer, embedding_weights=table)
    SentenceTransformer(modules=[module], device="cpu").save(str(folder / "student"))


def prepare(base: Path) -> None:
    """Collection, model, scores, decisions, labels, negatives to audit, and the config."""
    generate(base / "collection", DOCUMENTS, QUERIES)
    _model(base)
    pairs = [(q, d) for q in range(QUERIES) for d in range(DOCUMENTS)]
    scores = [0.8 if q == d else 0.1 + 0.85 * (int(mix(7, q, d)) % 8 == 0) for q, d in pairs]
    table = {"query_id": [f"q{q}" for q, _ in pairs], "doc_id": [f"d{d}" for _, d in pairs]}
    pq.write_table(pa.table({**table, "score": scores}), base / "scores.parquet")
    sections = {
        "input": {"format": "beir", "path": str(base / "collection")},
        "student": {"model": str(base / "student"), "device": "cpu"},
        "sources": {"bm25": {"depth": 40}, "dense": {"depth": DOCUMENTS}},
        "judge": {"kind": "precomputed", "path": str(base / "scores.parquet")},
        "policies": ["suspected_positive"],
        "runner": {"block_size": 5},
    }
    (base / "run.yaml").write_text(yaml.safe_dump(sections))
    texts = [json.loads(line)["text"] for line in (base / "collection/corpus.jsonl").open()]
    audited = [
        {"anchor": f"ask {at}", "positive": texts[at], "negative": texts[at + (at % 5 > 0)]}
        for at in range(30)
    ]
    (base / "audited.jsonl").write_text("".join(json.dumps(row) + "\n" for row in audited))


def decide(output: Path, base: Path) -> None:
    """Two files of decisions on suspects of the run in force, and the labels of a third."""
    suspects = pq.read_table(output / "runs" / "one" / "ledger" / "verdict=suspected_positive")
    pairs = list(
        zip(*(suspects.column(n).to_pylist() for n in ("query_id", "doc_id")), strict=True)
    )
    for at, name in enumerate(("a", "b", "c")):
        lines = [
            {"query_id": q, "doc_id": d, "decision": ("positive", "negative")[place % 2]}
            for place, (q, d) in enumerate(pairs[at::3])
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (base / f"decisions-{name}.jsonl").write_text(text)


def mine(base: Path, run_id: str, *settings: str) -> Callable[[Path], Words]:
    """A whole run, published as `run_id`."""
    sets = [word for one in (f"output.run_id={run_id}", *settings) for word in ("--set", one)]
    return lambda output: ["mine", str(base / "run.yaml"), "--output", str(output), *sets]


def fixed(output: Path) -> dict[str, str]:
    """SHA-256 of an audit's cleaned copy, and the lines of the record beside it."""
    copy = output / "exports" / "fixed.jsonl"
    record = (output / "exports" / "fixed.jsonl.removed.jsonl").read_text().count("\n")
    return {"copy": hashlib.sha256(copy.read_bytes()).hexdigest(), "record": str(record)}


def sums(run: Path) -> dict[str, str]:
    """SHA-256 of what a run publishes, by path."""
    files = [f for name in PUBLISHED for f in (run / name, *(run / name).rglob("*")) if f.is_file()]
    return {
        f.relative_to(run).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files
    }


def _ended(*commands: Ended, codes: Sequence[int] = (0,)) -> list[str]:
    return [
        f"ended with {command.code}: {command.err.strip()[-300:]}"
        for command in commands
        if command.code not in codes or "Traceback" in command.err
    ]


def _sound(output: Path) -> list[str]:
    from negmine.jobs.workdir.diagnosis import Kind
    from negmine.jobs.workdir.doctor import diagnose

    found = diagnose(output, deep=True)
    return [f"{f.path} {f.what}" for f in found.findings if f.kind is Kind.DAMAGE]


def _left(output: Path) -> list[str]:
    ends = (".tmp", ".probe", ".building")
    return [f"left: {path}" for path in output.rglob("*") if path.name.endswith(ends)]


def _labels(file: Path) -> dict[tuple[str, str], str]:
    rows = map(json.loads, file.read_text().splitlines())
    return {(row["query_id"], row["doc_id"]): row["decision"] for row in rows}


def _merged(output: Path, base: Path, *names: str) -> list[str]:
    wanted: dict[tuple[str, str], str] = {}
    for name in names:
        wanted |= _labels(base / f"decisions-{name}.jsonl")
    found = _labels(output / "labels.jsonl")
    return [] if found == wanted else [f"{len(found)} labels of {len(wanted)}"]


def _current(output: Path, *names: str) -> list[str]:
    named = (output / "current").read_text()
    return [] if named in [f"{name}\n" for name in names] else [f"current is {named!r}"]


def _exported(file: Path) -> list[str]:
    """A file of triplets and the report beside it, of one export."""
    if not file.exists():
        return ["no export"]
    table, told = pq.read_table(file), json.loads(Path(f"{file}.export.json").read_text())
    scored = "scores" in table.column_names
    if (table.num_rows, scored) != (told["rows"], told["options"]["scores"]):
        return ["the report is of another export than the file"]
    return []


def pairs(base: Path, like: dict[str, dict[str, str]]) -> list[Pair]:
    """The pairs; `like` holds what undisturbed runs publish, by what they were mined with."""

    def relabel(name: str) -> Callable[[Path], Words]:
        return lambda output: ["relabel", f"{output}:one", str(base / f"decisions-{name}.jsonl")]

    def export(run: str, *options: str) -> Callable[[Path], Words]:
        file = ("--format", "triplet", *options)
        return lambda output: [
            "export",
            f"{output}:{run}",
            *file,
            "-o",
            str(output / "exports" / "e.parquet"),
        ]

    def promote(run: str) -> Callable[[Path], Words]:
        return lambda output: ["runs", "promote", str(output), run]

    def collect(*options: str) -> Callable[[Path], Words]:
        return lambda output: ["gc", str(output), "--delete", *options]

    def doctor(output: Path) -> Words:
        return ["doctor", str(output), "--deep"]

    def audit(*options: str, fix: bool = True) -> Callable[[Path], Words]:
        def words(output: Path) -> Words:
            made = ["--fix", str(output / "exports" / "fixed.jsonl")] if fix else []
            chosen = ["--student", str(base / "student"), "--judge", "none", *options, *made]
            file = str(base / "audited.jsonl")
            return ["audit", file, "--format", "triplet", *chosen, "--output", str(output)]

        return words

    def labelled(output: Path) -> Words:
        return mine(base, "three", f"input.labels={output / 'labels.jsonl'}")(output)

    def same(output: Path, run: str, *kinds: str) -> list[str]:
        known = [like[kind] for kind in kinds]
        return [] if sums(output / "runs" / run) in known else [f"run {run} has other bytes"]

    def of_labels(output: Path, one: Ended, two: Ended) -> list[str]:
        refused = two.code == 3 and CHANGED in two.err
        faults = _ended(one) + ([] if refused else _ended(two)) + _merged(output, base, "a", "c")
        kinds = ("labels before", "labels after")
        return faults + ([] if refused else same(output, "three", *kinds)) + _sound(output)

    def of_runs(*runs: str, codes: Sequence[int] = (0,)) -> Callable[..., list[str]]:
        def check(output: Path, one: Ended, two: Ended) -> list[str]:
            there = [run for run in runs if (output / "runs" / run).exists()]
            faults = [fault for run in there for fault in same(output, run, "plain")]
            return _ended(one) + _ended(two, codes=codes) + faults + _sound(output) + _left(output)

        return check

    def of_fix(output: Path, one: Ended, two: Ended) -> list[str]:
        refused = [c for c in (one, two) if c.code == 2 and "is there already" in c.err]
        faults = _ended(*(c for c in (one, two) if c not in refused))
        if fixed(output) != like["fixed"]:
            faults.append(f"the copy or its record is another: {fixed(output)}")
        return faults + ["both refused"] * (len(refused) > 1) + _sound(output) + _left(output)

    def kept(output: Path, one: Ended, two: Ended) -> list[str]:
        gone = one.code in (2, 5) and two.code == 0
        return ([] if gone else _ended(one) + _exported(output / "exports" / "e.parquet")) + _ended(
            two, codes=(0, 5)
        )

    return [
        Pair(
            "relabel + relabel",
            relabel("a"),
            relabel("b"),
            lambda o, a, b: _ended(a, b) + _merged(o, base, "a", "b", "c") + _left(o),
        ),
        Pair("relabel + mine", relabel("a"), labelled, of_labels),
        Pair(
            "export + export, one file",
            export("one"),
            export("one", "--scores"),
            lambda o, a, b: _ended(a, b) + _exported(o / "exports" / "e.parquet") + _left(o),
        ),
        Pair(
            "promote + promote",
            promote("one"),
            promote("two"),
            lambda o, a, b: _ended(a, b) + _current(o, "one", "two") + _left(o),
        ),
        Pair(
            "promote + mine",
            promote("one"),
            mine(base, "three"),
            lambda o, a, b: of_runs("three")(o, a, b) + _current(o, "one", "three"),
        ),
        Pair(
            "promote + gc --runs",
            promote("one"),
            collect("--keep", "1", "--runs"),
            lambda o, a, b: (
                (_current(o, "two") if "no run" in a.err else _ended(a) + _current(o, "one"))
                + _ended(b, codes=(0, 5))
                + _sound(o)
            ),
        ),
        Pair(
            "mine + gc --runs",
            mine(base, "three", "sources.bm25.depth=41"),
            collect("--keep", "1", "--runs", "--all"),
            lambda o, a, b: (
                _ended(a) + _ended(b, codes=(0, 5)) + _current(o, "three") + _sound(o) + _left(o)
            ),
        ),
        Pair("export + gc --runs", export("one"), collect("--keep", "1", "--runs"), kept),
        Pair(
            "mine + mine, one work directory",
            mine(base, "three", "seed=43"),
            mine(base, "four", "seed=43"),
            lambda o, a, b: (
                _ended(a, b)
                + ([] if sums(o / "runs/three") == sums(o / "runs/four") else ["bytes differ"])
                + _current(o, "three", "four")
                + _sound(o)
                + _left(o)
            ),
        ),
        Pair("mine + doctor", mine(base, "three", "seed=43"), doctor, of_runs()),
        Pair("doctor + gc --runs", doctor, collect("--keep", "1", "--runs"), of_runs(codes=(0, 5))),
        Pair(
            "audit --fix + audit",
            audit(),
            audit("--set", "seed=5", fix=False),
            of_fix,
        ),
        Pair("audit --fix + audit --fix, one copy", audit(), audit(), of_fix),
    ]
