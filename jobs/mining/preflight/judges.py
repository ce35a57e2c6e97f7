"""Whether a judge can tell known positives from random documents, before it judges anything."""

from dataclasses import asdict, dataclass
from pathlib import Path

import apache_beam as beam

from negmine.jobs.mining.bm25 import bm25_scorer
from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.judging.judgement import Retrieved, collection_key, make_judge
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.stage import BlockStage
from negmine.schemas import JsonObject, tables
from negmine.schemas.judges import Cascade, Fusion, Judge, NoJudge, Precomputed, Vote
from negmine.schemas.remarks import Remark
from negmine.schemas.sources import RETRIEVING
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.known_scores import ArtifactScores
from negmine.transforms.judging.sample import RANDOM, ScoreSample, sample_queries
from negmine.transforms.kernels.measures.auc import auc_with_interval

QUERIES = 200
"""Most queries of a sample."""

POOLED = 32
"""The same where each query takes all its candidates, for a judge whose scale they give."""

CANNOT_TELL = 0.6
"""An AUC that is certainly below this is no better than a guess for our purpose."""

FEW = 10
"""Queries below which an AUC that may be a guess is no serious matter."""


@dataclass(frozen=True)
class JudgeCheck:
    """AUC of one judge with its 95 % interval, over one positive and two random documents a query.

    `judge` is its kind, with a number where several judge.
    """

    judge: str
    auc: float
    low: float
    high: float
    queries: int
    positives: int
    random: int

    def as_json(self) -> JsonObject:
        """The check as it stands in a manifest."""
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(self).items()}


def check_judges(run: RunContext, checks: list[JudgeCheck]) -> None:
    """Remark on every judge that is not shown to tell positives from random documents."""
    for check in checks:
        remark = _remark(check)
        if remark:
            run.remarks.add(remark)


@dataclass(frozen=True)
class JudgeSample:
    """A judge's scores of sampled pairs: the artifact that holds them, and the judge's name."""

    judge: str
    scores: Artifact


def judge_samples(run: RunContext, retrieved: Retrieved) -> list[JudgeSample]:
    """Samples for all judges that score pairs themselves; none where nothing can be measured.

    The candidates need not be made: a sample that takes them waits for them.
    """
    composed = (Cascade, Vote, NoJudge)
    judges = [judge for judge in run.config.judge.flat() if not isinstance(judge, composed)]
    several = len(judges) > 1
    found = []
    for number, judge in enumerate(judges, 1):
        scores = _sample(run, retrieved, judge)
        if scores is not None:
            name = f"{judge.kind}_{number}" if several else judge.kind
            found.append(JudgeSample(name, scores))
    return found


def _sample(run: RunContext, retrieved: Retrieved, judge: Judge) -> Artifact | None:
    seed, sets = run.config.seed, run.ingested
    pooled = isinstance(judge, Fusion)
    most = POOLED if pooled else QUERIES
    queries = sample_queries(sets["queries"], sets["positives"], seed, most)
    if not len(queries):
        return None
    if isinstance(judge, Precomputed):
        judge = judge.model_copy(update={"fallback": None})
    made = make_judge(run, judge, retrieved)
    scorer = made.judge
    if isinstance(scorer, ArtifactScores):
        scorer = ArtifactScores(scorer.dataset, name=scorer.name, partial=True)
    bm25 = bm25_scorer(run)
    names = [str(source) for source in RETRIEVING if source in retrieved.candidates]
    pool = {source: retrieved.candidates[source] for source in names if pooled}
    key = {
        **collection_key(run, retrieved.vectors),
        "judge": made.key,
        "seed": seed,
        "most": [most, RANDOM],
        # An artifact's folder has its fingerprint's name, before there is a manifest too.
        "pool": {source: Path(dataset.path).name for source, dataset in pool.items()},
        "bm25": bm25.config.model_dump(exclude={"depth", "shards"}) if pooled else None,
    }

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        drawn = tuple(map(int, queries))
        sample = ScoreSample(retrieved.collection, scorer, bm25, drawn, seed, pool)
        schema = tables.SAMPLE_SCORES
        how: JsonObject = {"hinted": True, "waits": pooled}
        return BlockStage("ScoreSample", sample, directory, blocks, schema, **how)

    label = f"check judge {judge.kind}"
    return Artifact("check_judge", key, len(queries), make, label, waits=pooled)


def measure_judge(sample: JudgeSample, scored: Dataset) -> JudgeCheck | None:
    """The check of a judge by its scores of a sample; None where the sample is of one kind."""
    table = scored.read(["query_ix", "is_positive", "judge_score"])
    query_ix, positive, scores = (column.to_numpy() for column in table.columns)
    count = len(set(query_ix.tolist()))
    found = auc_with_interval(scores[positive], scores[~positive], count)
    if not found.positives or not found.negatives:
        return None
    sizes = (count, found.positives, found.negatives)
    return JudgeCheck(sample.judge, found.value, found.low, found.high, *sizes)


def _remark(check: JudgeCheck) -> Remark | None:
    if check.low > 0.5 and check.high >= CANNOT_TELL:
        return None
    interval = f"{check.auc:.2f} [{check.low:.2f}, {check.high:.2f}]"
    return Remark(
        code="judge_cannot_tell",
        serious=check.queries >= FEW or check.high < CANNOT_TELL,
        title=f"Judge {check.judge} is not shown to tell known positives from random documents: "
        f"AUC {interval}",
        fact=f"0.5 is a guess, 1 is certain; {check.positives:,} positives and {check.random:,} "
        f"random documents of {check.queries:,} queries were scored. What such a judge drops or "
        "keeps is chance.",
        advice="Take a judge for the language and domain of the texts (judge.model), see that "
        "judge.max_length leaves room for both texts and that the positives are right, or set "
        "judge.kind: fusion.",
        numbers=check.as_json(),
    )
