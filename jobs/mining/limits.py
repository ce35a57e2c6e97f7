"""The setting of the judge's threshold that keeps a run within limits, found by the sweep."""

from collections.abc import Sequence
from dataclasses import dataclass

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.runner.progress import tell
from negmine.jobs.sweep.grid import changed
from negmine.jobs.sweep.run import swept
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError

POLICY = "judge_calibrated_threshold"
KEY = f"{POLICY}.positives_above"
VALUES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Limits:
    """What a set must keep to; null = whatever comes.

    Attributes:
        max_leak: most of the hidden positives that may be taken for negatives, a share.
        min_gain: least expected gain.
    """

    max_leak: float | None = None
    min_gain: float | None = None

    def __bool__(self) -> bool:
        return self.max_leak is not None or self.min_gain is not None

    def best(self, rows: Sequence[JsonObject]) -> JsonObject:
        """Of a sweep's rows the one within the limits that is expected to train best.

        Without expected gains it is the one with most hard negatives; with a least gain alone, the
        one that leaks least. Raises ConfigError, naming the nearest, where there is none.
        """
        if self.max_leak is not None and any(row["leak"] is None for row in rows):
            raise ConfigError(
                "--max-leak: no leak can be measured, for no query has two known positives; choose "
                "by negmine sweep, or leave it out"
            )
        if self.min_gain is not None and any(row["expected_gain"] is None for row in rows):
            raise ConfigError(
                "--min-gain: no gain can be estimated where the judge did not score every "
                "negative; use a judge that scores all candidates, or leave it out"
            )
        most, least = self.max_leak, self.min_gain
        within = [row for row in rows if most is None or row["leak"] <= most]
        if not within:
            nearest = min(rows, key=lambda row: float(row["leak"]))
            raise ConfigError(f"--max-leak {most:g}: no setting keeps to it; {_told(nearest)}")
        enough = [row for row in within if least is None or row["expected_gain"] >= least]
        if not enough:
            nearest = max(within, key=lambda row: float(row["expected_gain"]))
            also = "" if most is None else f" and a leak of at most {most:g}"
            raise ConfigError(
                f"--min-gain {least:g}: no setting reaches it{also}; {_told(nearest)}"
            )
        if most is None and all(row["leak"] is not None for row in enough):
            return min(enough, key=lambda row: (row["leak"], -row["expected_gain"]))
        gains = all(row["expected_gain"] is not None for row in enough)
        return max(enough, key=lambda row: row["expected_gain" if gains else "hard_negatives"])


def within(mining: MiningRun, limits: Limits) -> Config:
    """The config with the setting that keeps to the limits; the run is made up to its judge.

    Raises ConfigError where the run has no such policy or no setting keeps to them.
    """
    config = mining.config
    if POLICY not in [policy.name for policy in config.policies or ()]:
        raise ConfigError(
            f"--max-leak and --min-gain choose policies.{KEY}, and this config has no such policy: "
            "it needs a judge (--judge fusion needs no download) and that policy in its list"
        )
    mining.run_until("judge")
    values = config.model_dump(mode="json")
    rows = swept(mining.judged, mining.collection, values, [{KEY: value} for value in VALUES])
    best = limits.best(rows)
    tell(f"chosen by the sweep: {_told(best)}")
    if limits.max_leak is not None and best["leak_high"] > limits.max_leak:
        tell(
            f"remark: that interval reaches beyond {limits.max_leak:g}: {best['hidden']:,} hidden "
            "positives are too few to be sure of so low a leak"
        )
    return changed(values, best["settings"])


def _told(row: JsonObject) -> str:
    leak, gain = row["leak"], row["expected_gain"]
    facts = [f"{KEY} = {row['settings'][KEY]:g}"]
    if leak is not None:
        bounds = f"[{row['leak_low']:.4f}, {row['leak_high']:.4f}]"
        facts.append(f"leak {leak:.4f} {bounds} of {row['hidden']:,} hidden positives")
    if gain is not None:
        facts.append(f"expected gain {gain:.3f}")
    return ", ".join([*facts, f"{row['hard_negatives']:,} hard negatives"])
