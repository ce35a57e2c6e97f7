"""What a file is by the end of its name: the one table that every reader of files asks."""

from collections.abc import Sequence
from pathlib import Path

from negmine.schemas.errors import DataError

KINDS = {
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "jsonl": (".jsonl", ".ndjson", ".json"),
    "csv": (".csv",),
    "tsv": (".tsv", ".txt", ".tab", ".qrels", ".qrel"),
}
"""Kinds of files and their suffixes, in any case; those of text may be followed by .gz or .zst."""

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
NAMES = {"parquet": "Parquet", "arrow": "Arrow", "jsonl": "JSON", "csv": "CSV", "tsv": "TSV"}

_UNPACK = {
    ".bz2": "bunzip2 -k {path}", ".xz": "unxz -k {path}", ".zip": "unzip {path}",
    ".lz4": "lz4 -d {path}", ".tgz": "tar -xzf {path}", ".tar": "tar -xf {path}",
}  # fmt: skip
PACKED = tuple(_UNPACK)
"""Suffixes of what has to be unpacked first."""

SHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
"""Suffixes of spreadsheets."""

_TABLE_SQL = {
    "csv": "read_csv('{path}', all_varchar=true)",
    "tsv": "read_csv('{path}', delim='\\\\t', all_varchar=true)",
    "jsonl": "read_json('{path}')",
    "parquet": "read_parquet('{path}')",
}
_ARROW = (
    "import pyarrow as pa, pyarrow.parquet as pq; "
    "pq.write_table(pa.ipc.open_file('{path}').read_all(), '{stem}.parquet')"
)
_KIND_OF = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes}


def compression_of(path: str | Path) -> str | None:
    """`gzip` or `zstd` where the name ends in .gz or .zst, in any case."""
    return COMPRESSIONS.get(Path(path).suffix.lower())


def suffix_of(path: str | Path) -> str:
    """The suffix in lower case, that of a compression aside; empty where there is none."""
    name = Path(path)
    if compression_of(name):
        name = name.with_suffix("")
    return name.suffix.lower()


def kind_of_file(path: str | Path) -> str:
    """One of KINDS by the suffix, or `` where it says nothing."""
    kind = _KIND_OF.get(suffix_of(path), "")
    return "" if kind in ("parquet", "arrow") and compression_of(path) else kind


def require_kind(path: str | Path, key: str, kinds: Sequence[str], default: str = "") -> str:
    """The kind of a file, one of `kinds`; `default` where the name has no suffix.

    `key` is the setting that named the file. Raises DataError, with the suffixes that are read and
    the command that converts, for any other.
    """
    suffix, kind = suffix_of(path), kind_of_file(path)
    if kind in kinds:
        return kind
    if not suffix and default:
        return default
    raise DataError(
        f"{key}: {path} {_what(path, suffix, kind)}; {_read(kinds)}"
        f"{_advice(path, suffix, kind, kinds)}"
    )


def _what(path: str | Path, suffix: str, kind: str) -> str:
    if kind:
        return f"is {NAMES[kind]} by its suffix {suffix}, which is not read here"
    if suffix and compression_of(path):
        return f"ends in {suffix}{Path(path).suffix.lower()}, which is not read"
    return f"ends in {suffix}, which is not known" if suffix else "has no suffix"


def _read(kinds: Sequence[str]) -> str:
    suffixes = ", ".join(suffix for kind in kinds for suffix in KINDS[kind])
    packed = any(kind not in ("parquet", "arrow") for kind in kinds)
    return f"what is read ends in {suffixes}{' (text: .gz or .zst behind it)' if packed else ''}"


def _advice(path: str | Path, suffix: str, kind: str, kinds: Sequence[str]) -> str:
    """What to do now: unpack, rename, convert, or name another format."""
    if suffix in _UNPACK:
        return f". Unpack it: {_UNPACK[suffix].format(path=path)}"
    if not kind:
        return ". Rename it, so that its end says what it is"
    target = next((known for known in ("parquet", "jsonl") if known in kinds), None)
    if target is None:
        return f". Set input.format to {'jsonl' if kind == 'jsonl' else 'parquet'}"
    stem = Path(path).name.partition(".")[0]
    if kind == "arrow":
        return f'. Convert it: python -c "{_ARROW.format(path=path, stem=stem)}"'
    sql = f"COPY (FROM {_TABLE_SQL[kind].format(path=path)}) TO '{stem}.{target}'"
    if target == "jsonl":
        sql += " (FORMAT json)"
    return f'. Convert it: python -c "import duckdb; duckdb.sql(\\"{sql}\\")"'
