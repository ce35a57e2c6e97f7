"""What is wrong with the languages of a negative set, and what to do about it."""

from negmine.jobs.report import numbers
from negmine.jobs.report.checks.limits import Finding
from negmine.jobs.report.metrics import Metrics
from negmine.schemas import JsonObject

AUC, OFF, OTHER = 0.6, 0.1, 0.05
"""Limits: of the AUC of languages alone, of a share's distance from the one asked for as a part of
it, and of the negatives in another language."""


def language_findings(metrics: Metrics, config: JsonObject) -> list[Finding | None]:
    """Languages that tell the label, a mix that was not reached, translations nobody keeps out.

    Empty for a collection without languages, None for what is well.
    """
    metric = metrics.get("language_auc")
    if metric is None:
        return []
    found = [_tells(metrics), *_unreached(metrics, config), _translations(metrics, config)]
    return [finding for finding in found if finding] or [None]


def _tells(metrics: Metrics) -> Finding | None:
    metric = metrics.get("language_auc")
    if metric is None or metric.value <= AUC:
        return None
    same = [metrics.get(f"language_share{of}", key="same") for of in ("", "_positive")]
    shares = [numbers.percent(share.value) if share else "?" for share in same]
    return Finding(
        metric.value > 0.7,
        f"Languages alone give positives away: AUC {numbers.with_interval(metric, numbers.score)}",
        f"{shares[1]} of the positives are in the language of their query, and {shares[0]} of the "
        "negatives. A model can learn to prefer a language rather than meaning.",
        "Set language_mix: positives, and languages: both for the sources, so that there are "
        "candidates of each.",
    )


def _unreached(metrics: Metrics, config: JsonObject) -> list[Finding]:
    mix = config.get("language_mix")
    missed = []
    for key, asked in mix.items() if isinstance(mix, dict) else ():
        metric = metrics.get("language_share", key=key)
        share = metric.value if metric else 0.0
        if abs(share - asked) > OFF * asked:
            percent = numbers.percent(share), numbers.percent(asked)
            missed.append(f"{percent[0]} {key} (asked {percent[1]})")
    if not missed:
        return []
    return [
        Finding(
            False,
            f"The negatives are not mixed as language_mix asks: {', '.join(missed)}",
            "Candidates of a language were too few, and no other takes their places.",
            "Set languages: both for the sources, raise their depth, or ask for less of it. "
            "negmine query RUN short_queries lists the queries that are short.",
        )
    ]


def _translations(metrics: Metrics, config: JsonObject) -> Finding | None:
    other = metrics.get("language_share", key="other")
    kept_out = any("translation_of_positive" in entry for entry in config.get("policies") or ())
    if other is None or other.value <= OTHER or kept_out:
        return None
    return Finding(
        False,
        f"{numbers.percent(other.value)} of the negatives are in another language than their "
        "query, and nothing keeps translations of the positives out",
        "Where texts have translations in the corpus, these answer the query as the positive does.",
        "Add the policy translation_of_positive, see docs/languages.md.",
    )
