"""`negmine sweep`: what other thresholds would give, from stored scores; no model is loaded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from jobs.published import Run
from schemas.config import Tier
from schemas.errors import ConfigError, StorageError
from schemas.policies import Policy
from transforms.datasets import Dataset
from transforms.kernels.eci import query_terms, set_terms, summarise
from transforms.kernels.policies import decide
from transforms.kernels.tiers import choose, served_positive
from transforms.pairs import to_pairs

_HEADINGS = {
    "backfilled": "backfill",
    "shortfall": "short",
    "signal": "S",
    "safety": "Δ",
    "harmonic_mean": "mean",
    "negatives": "N",
    "eci": "ECI",
}


def parse_grid(text: str) -> tuple[str, str, list[Any]]:
    """`POLICY.PARAMETER=a,b,c` as (policy, parameter, values). Raises ConfigError."""
    key, separator, listed = text.partition("=")
    policy, dot, parameter = key.partition(".")
    if not separator or not dot or not listed:
        raise ConfigError(
            f"--policy {text!r}: write POLICY.PARAMETER=VALUE,VALUE,..., for example "
            "judge_relative_margin.keep_below=0.8,0.9,0.95"
        )
    return policy, parameter, [yaml.safe_load(value) for value in listed.split(",")]


def _replaced(policies: Sequence[Policy], name: str, parameter: str, value: Any) -> list[Policy]:
    if not any(policy.name == name for policy in policies):
        names = ", ".join(policy.name for policy in policies)
        raise ConfigError(f"the run has no policy {name}; it has {names}")
    changed = []
    for policy in policies:
        entry = policy.model_dump()
        if policy.name == name:
            entry[name] = {**entry[name], parameter: value}
        try:
            changed.append(Policy.model_validate(entry))
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(f"--policy {name}.{parameter}={value}: {reason}") from None
    return changed


def sweep(run: Run, policy: str, parameter: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """One row a value: pairs the policy drops, negatives by tier, backfill, shortfall and ECI.

    Pairs that a lazy judge did not score pass the judge's policies here, and are counted where
    they are chosen (`unjudged`). Raises ConfigError for an unknown policy or value, StorageError
    where the run's judged pairs are gone.
    """
    found = run.artifacts().get("judged")
    if found is None:
        raise StorageError(f"{run.missing_artifact('judged')}; mine the run again")
    config = run.manifest["config"]
    tiers = {name: Tier.model_validate(config["tiers"][name]) for name in run.quotas}
    policies = [Policy.model_validate(entry) for entry in config["policies"]]
    grid = {value: _replaced(policies, policy, parameter, value) for value in values}
    parts: dict[Any, list[dict[str, Any]]] = {value: [] for value in grid}
    for table in Dataset(str(found)).tables():
        pairs = to_pairs(table)
        served = served_positive(pairs)
        for value, changed in grid.items():
            decisions = decide(pairs, changed)
            choice = choose(pairs, decisions.policy < 0, tiers)
            kept = choice.tier >= 0
            query = pairs.query[kept]
            terms = query_terms(query, pairs.dense[kept], pairs.dense[served[query]], pairs.queries)
            names = np.array([entry.name for entry in changed])
            parts[value].append(
                {
                    "dropped": int(
                        (names[decisions.policy[decisions.policy >= 0]] == policy).sum()
                    ),
                    "tiers": np.bincount(choice.tier[kept], minlength=len(tiers)),
                    "backfilled": int((choice.band != choice.tier)[kept].sum()),
                    "unjudged": int(np.isnan(pairs.judge[kept]).sum()),
                    "terms": terms,
                }
            )
    asked = sum(tier.quota for tier in tiers.values())
    return [_row(value, found, list(tiers), asked) for value, found in parts.items()]


def _row(value: Any, parts: list[dict[str, Any]], tiers: list[str], asked: int) -> dict[str, Any]:
    size, signal, safety = (
        np.concatenate([getattr(part["terms"], name) for part in parts])
        for name in ("size", "signal", "safety")
    )
    counts = np.sum([part["tiers"] for part in parts], axis=0)
    summary = summarise(set_terms(size, signal, safety))
    totals = {
        name: sum(part[name] for part in parts) for name in ("dropped", "backfilled", "unjudged")
    }
    return {
        "value": value,
        **totals,
        **{f"{tier}": int(count) for tier, count in zip(tiers, counts, strict=True)},
        "shortfall": int(asked * len(size) - size.sum()),
        "signal": summary["signal"],
        "safety": summary["safety"],
        "harmonic_mean": summary["harmonic_mean"],
        "negatives": summary["negatives"],
        "eci": summary["eci"],
    }


def sweep_table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """The rows as a table for a terminal."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    columns = [name for name in rows[0] if name != "unjudged" or any(r[name] for r in rows)]
    for column in columns:
        table.add_column(_HEADINGS.get(column, column), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_shown(column, row[column])) for column in columns))
    return table


def _shown(column: str, value: Any) -> str:
    if column in {"value", "negatives"} or not isinstance(value, float):
        return f"{value:g}" if isinstance(value, float) else f"{value:,}"
    return f"{value:.3f}"
