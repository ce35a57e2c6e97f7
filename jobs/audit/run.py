"""An audit from its files to its result: a collection, an ordinary run, and what was found."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import yaml

from negmine.jobs.audit.findings import SHORTCUT, Entries, Finding, Hub
from negmine.jobs.audit.fix import fix, targets
from negmine.jobs.audit.request import Request
from negmine.jobs.load_config import load_config
from negmine.jobs.mining.models import check_models
from negmine.jobs.mining.publish import mine
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError, StorageError
from negmine.transforms import storage
from negmine.transforms.foreign import ALIASES, FORMATS
from negmine.transforms.foreign.collection import Foreign, collect, input_paths
from negmine.transforms.foreign.columns import left_alone
from negmine.transforms.foreign.formats import BY_COLUMNS, NAMED, named_of
from negmine.transforms.foreign.layout import Layout, find_layout
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.storage.atomic import write_atomically
from negmine.transforms.storage.digests import digest_of
from negmine.transforms.storage.locks import writing

VERSION = 3
"""Raised when the collection made of the same files changes."""
_TEXTS = ("documents", "queries", "qrels")


@dataclass(frozen=True)
class Audit:
    """What was found. `eci` and `shortcut` as `Entries` computes them.

    `left_alone` are columns of text that are not audited, as they are no negatives by their names.
    """

    run: str
    files: list[str]
    counts: dict[str, int]
    findings: list[Finding]
    hubs: list[Hub]
    eci: dict[str, dict[str, float]]
    shortcut: dict[str, float | None]
    fixed: list[JsonObject] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether there is no defect; remarks are none."""
        return not self.hubs and not any(found.defect for found in self.findings)

    @property
    def has_shortcut(self) -> bool:
        """Whether positives can be told from negatives without reading."""
        low = self.shortcut["low"]
        return low is not None and low > SHORTCUT

    def as_json(self) -> JsonObject:
        """As JSON values; figures that cannot be computed are null."""
        values = {**asdict(self), "clean": self.clean, "has_shortcut": self.has_shortcut}
        values["shortcut"] = {k: v if v == v else None for k, v in self.shortcut.items()}
        return values


def audit(request: Request) -> Audit:
    """Audit the files; publishes a run in `output`. Raises ConfigError, DataError, StorageError."""
    layout = _check(request)
    files, format = layout.files, layout.format
    output = storage.local_path(request.output)
    copies: list[Path] = []
    if request.fix is not None:
        fixed = storage.local_path(request.fix)
        copies = targets(files, fixed, outputs=(output,), format=format)
    named = (layout.corpus, layout.queries, request.qrels)
    foreign = Foreign(tuple(map(str, files)), format, *named, label_above=request.label_above)
    root = output / "work" / "audit"
    digests = {str(path): digest_of(path) for path in input_paths(foreign)}
    foreign = replace(foreign, digests=digests)
    directory = root / fingerprint(_identity(foreign))
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot create {root}: {error.strerror}; choose another folder with --output DIR"
        ) from error
    check_models(_config(request, directory, 1))
    with writing(directory):
        counts = collect(foreign, directory)
    config = _config(request, directory, counts["widest"])
    run = mine(config)
    with Entries(run, directory / "negatives.parquet", list(map(str, files))) as entries:
        by_query = format in NAMED and not NAMED[format].row_is_query
        least = (request.n_passages or 1) - 1
        whole = format in BY_COLUMNS and not request.keep_short
        entries.mark_repeats(whole, 0 if by_query else least, request.fix_suspected)
        if request.n_passages is not None:
            entries.mark_short(least, by_query, request.fix_suspected)
        return Audit(
            run=str(run.path),
            files=list(map(str, files)),
            counts={**counts, **entries.counts()},
            findings=entries.findings(),
            hubs=entries.hubs(request.hub_share),
            eci=entries.eci(),
            shortcut=entries.shortcut(),
            fixed=fix(
                entries,
                files,
                copies,
                format,
                request.fix_suspected,
                request.keep_short,
                digests,
                label_above=request.label_above,
            )
            if copies
            else [],
            left_alone=_left_alone(files, format),
        )


def _left_alone(files: Sequence[Path], format: str) -> list[str]:
    """Columns of text that are no negatives by their names, of all files."""
    if format not in BY_COLUMNS:
        return []
    return sorted({name for file in files for name in left_alone(file, format)})


def _check(request: Request) -> Layout:
    """What is audited. Raises ConfigError where options do not go together, DataError for files."""
    known = (*FORMATS, *ALIASES, "hf")
    if request.format not in known:
        raise ConfigError(f"unknown format {request.format!r}; there are {', '.join(known)}")
    found = find_layout(request.format, list(request.files), request.corpus, request.queries)
    queries, documents = named_of(found.format)
    if (documents == "id" and not found.corpus) or (queries == "id" and not found.queries):
        missing = [
            option
            for option, by, path in (
                ("--corpus", documents, found.corpus),
                ("--queries", queries, found.queries),
            )
            if by == "id" and not path
        ]
        raise ConfigError(
            f"--format {request.format} holds identifiers only; name their texts with "
            f"{' and '.join(missing)}"
        )
    if found.format == "trec_run" and not request.qrels:
        raise ConfigError("--format trec_run says of no document that it is positive; name --qrels")
    if request.qrels and not found.corpus:
        raise ConfigError("--qrels needs --corpus, where the texts of its documents are")
    if request.qrels and not found.queries and queries == "text":
        raise ConfigError(
            "--qrels needs --queries, which says what text its query identifiers have"
        )
    if request.fix is None and (request.fix_suspected or request.keep_short):
        raise ConfigError("--fix-suspected and --keep-short say how to fix; give --fix OUT too")
    if not 0 <= request.hub_share <= 1:
        raise ConfigError(f"--hub-share {request.hub_share:g}: give a share from 0 to 1")
    if request.n_passages is not None and request.n_passages < 2:
        raise ConfigError(
            f"--n-passages {request.n_passages}: a positive and a negative at least, 2"
        )
    if request.label_above is not None:
        if found.format not in NAMED or not NAMED[found.format].labeled:
            raise ConfigError(
                f"--label-above is about labels, and --format {found.format} has none"
            )
        if not math.isfinite(request.label_above):
            raise ConfigError(f"--label-above {request.label_above}: give a finite number")
    if request.keep_short and found.format != "n_tuple":
        raise ConfigError("--keep-short is about rows of a fixed width, --format n_tuple")
    return found


def _identity(foreign: Foreign) -> JsonObject:
    return {
        "version": VERSION,
        "format": foreign.format,
        "files": [foreign.digests[str(path)].sha256 for path in input_paths(foreign)],
        "label_above": foreign.label_above,
        "beside": [bool(foreign.corpus), bool(foreign.queries), bool(foreign.qrels)],
    }


def _config(request: Request, directory: Path, widest: int) -> Config:
    """The config of the run: every candidate is given, one tier takes all, policies flag."""
    policies: list[JsonObject] = [
        {"near_duplicate_of_positive": {}},
        {"near_duplicate_of_negative": {}},
    ]
    if request.judge != "none":
        policies += [{"suspected_positive": {}}, {"judge_calibrated_threshold": {}}]
    student = {"student": {"model": request.student}} if request.student else {}
    values = {
        "input": {
            "format": "parquet",
            **{name: str(directory / f"{name}.parquet") for name in _TEXTS},
            "bad_rows": 0.0,
            "max_text_bytes": 1 << 30,
        },
        **student,
        "sources": {
            **dict.fromkeys(("bm25", "dense", "random")),
            "given": {"path": str(directory / "given.parquet")},
        },
        "judge": {"kind": request.judge},
        "policies": policies,
        "tiers": {"given": {"quota": widest, "source": "given"}},
    }
    # Of its content, as others may audit the same files with other settings meanwhile.
    file = directory.with_name(f"{directory.name}-{fingerprint(values)}.yaml")
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)

    def write(path: str) -> None:
        Path(path).write_text(text, encoding="utf-8")

    write_atomically(file, write)
    return load_config(str(file), request.settings, request.output)
