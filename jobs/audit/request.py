"""What is asked of an audit; imports nothing that takes time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HUB_SHARE = 0.05
"""A hub is a negative of this share of the queries."""


@dataclass(frozen=True)
class Request:
    """What `negmine audit` was asked for; see docs/audit.md."""

    files: Sequence[str]
    format: str
    corpus: str | None = None
    queries: str | None = None
    qrels: str | None = None
    student: str | None = None
    judge: str = "fusion"
    settings: Sequence[str] = ()
    output: str = "audit"
    fix: Path | None = None
    fix_suspected: bool = False
    keep_short: bool = False
    hub_share: float = HUB_SHARE
    n_passages: int | None = None
    label_above: float | None = None
