"""Parts of an export: the whole, a split of the queries, or one sample of negatives an epoch."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.options import Options
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.reading.split import HeldBack, hold_back
from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.hashing import mix, text_keys

TRAIN = "train"
NAMED = ("easy_to_hard", "hard_to_easy", "even")
"""Schedules that need no weights: by the order of the tiers, whose first is the hardest."""

MOST_EPOCHS = 1_000
_KEY = 0x65706F6368
_WEIGHT = re.compile(r"\s*([^:,\s]+)\s*:\s*(\d+(?:\.\d+)?)\s*")


@dataclass
class Part:
    """A piece of an export: its name, and what of a block belongs to it; `rows` are counted."""

    name: str
    pick: Callable[[QueryBlock], QueryBlock]
    facts: JsonObject = field(default_factory=dict)
    rows: int = 0
    queries: int = 0


def with_sample_size(rows: RunNegatives) -> Options:
    """The run's options, with the number of negatives of an epoch where nobody gave one."""
    options = rows.options
    if options.epochs is None:
        return options
    return replace(options, n=options.n or max(1, rows.usual_width // 2))


def parts_of(rows: RunNegatives) -> list[Part]:
    """The parts that the options ask for, one named `train` where they ask for none.

    Raises ConfigError for a schedule that cannot be followed, DataError for a split that cannot be
    made.
    """
    options = rows.options
    if options.schedule and options.epochs is None:
        raise ConfigError("--schedule says how epochs differ; give their number with --epochs")
    held = hold_back(rows, *options.split) if options.split else None

    def kept(block: QueryBlock) -> QueryBlock:
        return block if held is None else block.where(~held.inside(block))

    parts = [Part(TRAIN, kept)] if options.epochs is None else _epochs(rows, kept)
    if held is not None:
        parts.append(_held(held))
    return parts


def _held(held: HeldBack) -> Part:
    return Part(held.name, lambda block: block.where(held.inside(block)), held.as_json())


def _epochs(rows: RunNegatives, kept: Callable[[QueryBlock], QueryBlock]) -> list[Part]:
    curriculum = Curriculum.of(rows)

    def part(epoch: int) -> Part:
        def pick(block: QueryBlock) -> QueryBlock:
            return curriculum.sample(kept(block), epoch)

        return Part(f"epoch-{epoch}", pick, {"negatives": curriculum.counts(epoch)})

    return [part(epoch) for epoch in range(curriculum.epochs)]


@dataclass(frozen=True)
class Curriculum:
    """Which negatives an epoch has: `n` of a query, by tier in shares that move from first to last.

    Attributes:
        tiers: hardest first.
        first, last: weights of the tiers (t,) in the first and in the last epoch; those between lie
            on the straight line.
        epochs, n, seed: how many, of how many negatives, keyed by what.
    """

    tiers: list[str]
    first: np.ndarray
    last: np.ndarray
    epochs: int
    n: int
    seed: int

    @classmethod
    def of(cls, rows: RunNegatives) -> "Curriculum":
        """As the options say. Raises ConfigError, naming the tiers or the schedules there are."""
        options, tiers = rows.options, rows.tiers
        epochs = options.epochs or 1
        if not 1 <= epochs <= MOST_EPOCHS:
            raise ConfigError(f"--epochs {epochs}: 1 to {MOST_EPOCHS:,}")
        if not tiers:
            raise ConfigError("epochs differ by tiers, and lists and rankings have none")
        first, last = weights(options.schedule or NAMED[0], tiers)
        n = options.n or max(1, rows.usual_width // 2)
        return cls(tiers, first, last, epochs, n, rows.source.seed)

    def counts(self, epoch: int) -> dict[str, int]:
        """Negatives of each tier that a query has in an epoch, where it has so many."""
        return dict(zip(self.tiers, self._counts(epoch).tolist(), strict=True))

    def _weights(self, epoch: int) -> np.ndarray:
        way = epoch / (self.epochs - 1) if self.epochs > 1 else 0.0
        mixed = (1 - way) * self.first + way * self.last
        return np.asarray(mixed / mixed.sum())

    def _counts(self, epoch: int) -> np.ndarray:
        wanted = self.n * self._weights(epoch)
        counts = np.floor(wanted + 1e-9).astype(np.int64)
        # 5 negatives at .5, .3 and .2 are 2, 1 and 1; one is left, for the largest rest.
        rest = np.lexsort((np.arange(len(wanted)), -(wanted - counts)))
        counts[rest[: self.n - int(counts.sum())]] += 1
        return counts

    def sample(self, block: QueryBlock, epoch: int) -> QueryBlock:
        """A block with the negatives of an epoch, by a keyed hash of seed and pair.

        Each tier of a query is gone round in that order: an epoch begins where the one before
        ended, so none comes twice before all came. Where a tier has too few, the tiers that weigh
        most in the epoch fill up.
        """
        tier = block.negatives["tier_at"].to_numpy().astype(np.int64)
        if not len(tier):
            return block
        query = np.repeat(np.arange(len(block.counts)), block.counts)
        pairs = [
            text_keys(block.negatives[name].to_pylist()) for name in ("query_id", "negative_id")
        ]
        lot = mix(_KEY, self.seed, *pairs)
        by_tier = np.lexsort((lot, tier, query))
        group = query * len(self.tiers) + tier
        drawn = np.empty(len(tier), dtype=np.int64)
        drawn[by_tier] = position_in_group(group[by_tier])
        before = sum((self._counts(past) for past in range(epoch)), np.zeros(len(self.tiers), int))
        drawn = (drawn - before[tier]) % np.bincount(group)[group]
        filling = drawn >= self._counts(epoch)[tier]
        preference = np.argsort(np.argsort(-self._weights(epoch), kind="stable"))[tier]
        order = np.lexsort((drawn, preference, filling, query))
        chosen = order[position_in_group(query[order]) < self.n]
        return block.take(np.sort(chosen))


def weights(schedule: str, tiers: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the tiers in the first and in the last epoch.

    `schedule` is one of NAMED, or `TIER:WEIGHT,... -> TIER:WEIGHT,...`; tiers that are not named
    weigh nothing. Raises ConfigError.
    """
    ends = np.linspace(1.0, 0.0, len(tiers)) if len(tiers) > 1 else np.ones(1)
    named = {"hard_to_easy": (ends, ends[::-1]), "easy_to_hard": (ends[::-1], ends)}
    named["even"] = (np.ones(len(tiers)), np.ones(len(tiers)))
    if schedule in named:
        return named[schedule]
    first, arrow, last = schedule.partition("->")
    return _weights(first, schedule, tiers), _weights(last if arrow else first, schedule, tiers)


def _weights(text: str, schedule: str, tiers: list[str]) -> np.ndarray:
    found = np.zeros(len(tiers))
    for word in text.split(","):
        match = _WEIGHT.fullmatch(word)
        if match is None:
            raise ConfigError(
                f"--schedule {schedule!r:.60}: write {', '.join(NAMED)}, or weights of tiers as in "
                f"'{tiers[-1]}:1 -> {tiers[0]}:1'"
            )
        if match[1] not in tiers:
            raise ConfigError(
                f"--schedule names the tier {match[1]!r}, and what is exported has "
                f"{', '.join(tiers)}"
            )
        found[tiers.index(match[1])] = float(match[2])
    if not found.any():
        raise ConfigError(f"--schedule {schedule!r:.60}: no tier has a weight above 0")
    return found
