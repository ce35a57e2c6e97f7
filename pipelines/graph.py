"""The run as one table: every stage, what it reads and writes, and the job that makes it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A step of a run whose result is kept in the work directory.

    Attributes:
        name: of the stage, and of its folder in the work directory.
        version: raised when its results change for the same inputs, so that old artifacts stay
            unused.
        command: the `negmine` command that makes it.
        job: the Beam job that makes it; stages that name the same job are made by one.
        reads, writes: data sets, by the names that a manifest gives them; one artifact each,
            unless `several`.
        covers: what its fingerprint covers besides those of what it reads.
        several: whether what it writes are data sets of one artifact, each in its own folder.
        optional: when it is a stage of the run at all; empty for always.
    """

    name: str
    version: int
    command: str
    job: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    covers: str
    several: bool = False
    optional: str = ""


_COLLECTION = ("documents", "queries", "positives", "confirmed_negatives", "dead_letters")
_VECTORS = ("document_vectors", "query_vectors")

GRAPH = (
    Stage(
        "ingest", 9, "ingest", "ingest", ("input",), _COLLECTION,
        "content of the files, input's settings, seed", several=True,
    ),
    Stage(
        "edit", 2, "ingest", "edit", ("documents", "queries", "positives"),
        ("all_documents", "edits"), "sources.edited, seed, the ratings of words", several=True,
        optional="where sources.edited is set",
    ),
    Stage(
        "embed", 4, "embed", "embed", ("documents", "queries"), _VECTORS,
        "weights, precision, prompts, max_length, normalize; of given vectors the files",
    ),
    Stage(
        "bm25_index", 2, "retrieve", "embed", ("documents",),
        ("postings", "lengths", "statistics"), "sources.bm25.language", several=True,
    ),
    Stage(
        "index", 1, "retrieve", "index", _VECTORS, ("trained", "shards", "recall"),
        "index settings, documents in a shard, seed",
        optional="where sources.dense names an index or a first_pass, or sources.cluster is on",
    ),
    Stage(
        "retrieve", 2, "retrieve", "retrieve",
        (*_VECTORS, "postings", "lengths", "statistics", "documents", "queries"),
        ("candidates",), "the source's settings; of random the seed; of given the files",
    ),
    Stage(
        "precomputed", 2, "judge", "scores", ("documents", "queries"), ("scores",),
        "the files of judge.path and its columns", optional="where judge.kind is precomputed",
    ),
    Stage(
        "check_judge", 2, "judge", "retrieve",
        (*_COLLECTION[:3], *_VECTORS, "candidates", "scores"), ("sample_scores",),
        "the judge, seed, size of the sample",
    ),
    Stage(
        "calibrate", 2, "judge", "calibrate", (*_COLLECTION[:3], *_VECTORS), ("positive_scores",),
        "the judge", optional="where the judge reads pairs one by one (cross_encoder)",
    ),
    Stage(
        "judge", 10, "judge", "judge",
        (*_COLLECTION[:4], *_VECTORS, "postings", "lengths", "statistics", "candidates", "scores"),
        ("judged",), "the judge, BM25's weights; of a cross-encoder policies and tiers too",
    ),
    Stage(
        "select", 6, "select", "select", ("judged", "documents"), ("verdicts",),
        "policies with their thresholds, tiers, sampling, seed",
    ),
    Stage("score", 1, "score", "select", ("verdicts",), ("sets",), "nothing else"),
    Stage(
        "lists", 1, "score", "lists", ("verdicts", "documents", "queries", *_VECTORS), ("lists",),
        "lists.size, the judge, seed", optional="where lists is set",
    ),
)  # fmt: skip
"""The stages in the order of the run. What is published is made of the last three and `judged`."""

STAGES = {stage.name: stage for stage in GRAPH}

COMMANDS = (*dict.fromkeys(stage.command for stage in GRAPH), "publish")
"""The commands that make the stages, in the order of the run."""


def mermaid() -> str:
    """The graph as a Mermaid flowchart: a box a stage, framed by the job that makes it."""
    makers = {name: stage.name for stage in GRAPH for name in stage.writes}
    jobs: dict[str, list[str]] = {}
    arrows = []
    for stage in GRAPH:
        jobs.setdefault(stage.job, []).append(stage.name)
        needed = dict.fromkeys(makers[name] for name in stage.reads if name in makers)
        arrows += [f"  {name} --> {stage.name}" for name in needed]
    lines = ["flowchart LR"]
    for job, names in jobs.items():
        lines += [f"  subgraph job_{job}[job {job}]", *(f"    {name}" for name in names), "  end"]
    ends = [f"  {name} --> publish" for name in ("judge", "select", "score", "lists")]
    return "\n".join([*lines, *arrows, *ends]) + "\n"
