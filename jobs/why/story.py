"""What became of one candidate, as data: texts, scores, every policy's test, and a sentence."""

from dataclasses import asdict, dataclass

from negmine.jobs.runs.published import Run
from negmine.jobs.runs.query import Database
from negmine.jobs.why.find_pair import Finder, Text
from negmine.schemas import JsonObject
from negmine.schemas.config import Sampling
from negmine.schemas.config.policy_list import with_promises
from negmine.schemas.errors import ConfigError
from negmine.schemas.policies import Policy
from negmine.schemas.selection import Selection
from negmine.schemas.verdicts import MEANINGS, Verdict
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import languages_of
from negmine.transforms.data.sql import sql_string
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.policies import decide, outcomes
from negmine.transforms.kernels.choosing.sampling import preference
from negmine.transforms.kernels.choosing.tiers import served_positive, similarity_ratio
from negmine.transforms.pairs.table import to_pairs


@dataclass(frozen=True)
class Test:
    """A policy's test of the candidate."""

    drops_as: str
    value: float
    threshold: float
    fires: bool


@dataclass(frozen=True)
class Story:
    """A candidate's whole story; `tests` is empty where `notes` say why.

    Attributes:
        query, document, positive: identifiers and texts; the positive is the one served.
        sentence: the verdict in words, with the policy or band that decided.
        facts: the ledger's row.
        tests: each test of each policy, in order.
        notes: similarity relative to the positive, place in the order of choice.
    """

    query: Text
    document: Text
    positive: Text | None
    sentence: str
    facts: JsonObject
    tests: tuple[Test, ...]
    notes: tuple[str, ...]

    def as_json(self) -> JsonObject:
        """As JSON values; what is not a number is null."""
        return {
            "query": self.query._asdict(),
            "document": self.document._asdict(),
            "positive": self.positive._asdict() if self.positive else None,
            "sentence": self.sentence,
            "facts": {name: _known(value) for name, value in self.facts.items()},
            "tests": [
                {name: _known(value) for name, value in asdict(test).items()} for test in self.tests
            ],
            "notes": list(self.notes),
        }


def _known(value: object) -> object:
    return None if isinstance(value, float) and value != value else value


def story(run: Run, query: str, document: str) -> Story:
    """The story of a pair, each named by its identifier or by its text.

    Raises ConfigError where the pair is not in the ledger, or more than one is meant.
    """
    with Database(run) as database:
        finder = Finder(run, database)
        of_query = finder.query(query)
        of_document = finder.document(of_query.id, document)
        answer = database.ask(
            f"SELECT * FROM ledger WHERE query_id = {sql_string(of_query.id)} "
            f"AND doc_id = {sql_string(of_document.id)}"
        )
        facts = dict(zip(answer.columns, next(answer.rows), strict=True))
        positive = finder.positive(of_query.id)
    told = sentence(run, facts)
    return Story(of_query, of_document, positive, told, facts, *_tested(run, of_query, of_document))


def sentence(run: Run, facts: JsonObject) -> str:
    """A verdict in words: which policy refused and by how much, or which band, or which tier."""
    verdict, policy, tier = (facts.get(name) for name in ("verdict", "policy", "tier"))
    meaning = MEANINGS.get(str(verdict), "")
    meaning = meaning[:1].lower() + meaning[1:]
    if policy is not None:
        value, limit = facts.get("value"), facts.get("threshold")
        tested = value is not None and limit is not None and not value == limit == 1
        numbers = f" ({value:.4g}, limit {limit:.4g})" if tested else ""
        return f"Dropped by policy {policy}{numbers}: {meaning}"
    if verdict == Verdict.KEPT:
        lent = ", lent from another tier's band" if facts.get("backfilled") else ""
        return f"A negative: tier {tier}, rank {facts.get('rank')}{lent}."
    if verdict == Verdict.OUTSIDE_TIERS:
        return f"No policy dropped it, and no band takes it: {_bands(run, facts)}."
    if verdict in (Verdict.OVER_QUOTA, Verdict.NOT_JUDGED):
        quota = run.quotas.get(str(tier))
        mix = (run.manifest.get("config") or {}).get("language_mix")
        own = ", or of these the part that language_mix leaves to its language," if mix else ""
        why = f"the {quota} that it takes{own} were tried before"
        if not quota:
            why = "it has no quota and lends to the others, which were full"
        return f"In the band of tier {tier}, and not needed: {why} ({verdict})."
    return f"Not a negative ({verdict}): {meaning}"


def _bands(run: Run, facts: JsonObject) -> str:
    own, positive = facts.get("dense_score"), facts.get("positive_dense_score")
    if own is None or positive is None:
        return "it has no similarity, because a vector is zero"
    ratio = 1 - (positive - own) / max(abs(positive), 1e-6)
    said = []
    for name, tier in (run.manifest.get("config", {}).get("tiers") or {}).items():
        low, high, source = (tier.get(key) for key in ("min_ratio", "max_ratio", "source"))
        ends = [f"from {low:g}" if low is not None else "", f"below {high:g}" if high else ""]
        ends.append(f"what {source} returned" if source else "")
        said.append(f"{name} takes {', '.join(filter(None, ends)) or 'all'}")
    return f"its similarity is {ratio:.2f} of the positive's, and {'; '.join(said)}"


def _tested(run: Run, query: Text, document: Text) -> tuple[tuple[Test, ...], tuple[str, ...]]:
    artifacts = run.artifacts()
    absent = [name for name in ("judged", "documents", "queries") if name not in artifacts]
    if absent:
        why = run.missing_artifact(absent[0])
        return (), (f"the tests of each policy are not shown: {why}",)
    pairs, row = _judged_pairs(artifacts, query.id, document.id)
    selection = _selection(run)
    tests = tuple(
        Test(
            str(test.verdict),
            float(test.value[row]),
            float(test.threshold[row]),
            bool(test.fired[row]),
        )
        for _, test in outcomes(pairs, selection.policies)
    )
    return tests, tuple(_places(pairs, row, selection))


def _places(pairs: Pairs, row: int, selection: Selection) -> list[str]:
    served = served_positive(pairs)
    ratio = similarity_ratio(pairs.dense[row], pairs.dense[served[0]])
    lines = [f"similarity relative to the served positive: {ratio:.4f}"]
    if ratio != ratio:
        lines = ["no similarity: the vector of query, document or served positive is zero"]
    safe = decide(pairs, selection.policies).policy < 0
    if safe[row]:
        order = preference(pairs, served, selection.sampling, selection.seed)
        place = int((order[safe] > order[row]).sum()) + 1
        lines.append(
            f"{selection.sampling.method} tries it as number {place} of the {safe.sum()} "
            "candidates of the query that no policy drops"
        )
    return lines


def _selection(run: Run) -> Selection:
    manifest = run.manifest
    config = manifest["config"]
    policies = manifest.get("policies") or config["policies"]
    return Selection(
        with_promises([Policy.model_validate(entry) for entry in policies]),
        (),
        Sampling.model_validate(config["sampling"]),
        int(config["seed"]),
    )


def _judged_pairs(artifacts: JsonObject, query_id: str, doc_id: str) -> tuple[Pairs, int]:
    query_ix = _position(artifacts["queries"], "query_id", query_id)
    doc_ix = _position(artifacts["documents"], "doc_id", doc_id)
    judged = Dataset(str(artifacts["judged"])).read_queries(Block(query_ix, query_ix + 1))
    sets = (Dataset(str(artifacts[name])) for name in ("documents", "queries"))
    pairs = to_pairs(judged, languages_of(*sets))
    return pairs, int((pairs.doc_ix == doc_ix).argmax())


def _position(path: object, column: str, identifier: str) -> int:
    start = 0
    for table in Dataset(str(path)).tables([column]):
        found = table.column(column).index(identifier).as_py()
        if found >= 0:
            return int(start + found)
        start += table.num_rows
    raise ConfigError(f"the work directory's {column} {identifier!r} is gone; mine the run again")
