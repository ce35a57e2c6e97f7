"""Whether `sources.bm25.language` fits the letters of the corpus and of the queries."""

import json
from contextlib import suppress

import pyarrow as pa

from negmine.jobs.mining.context import RunContext
from negmine.schemas.remarks import Remark
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.scripts import script_counts
from negmine.transforms.kernels.tokenise import AUTO
from negmine.transforms.storage.atomic import write_json

LEAST_SHARE = 0.5
"""Share of the letters that the language's script should have."""

_RUNS, _ROWS = 8, 32
"""Texts are taken in so many runs of so many rows, evenly spread over the data set."""

_SCRIPTS = {
    "arabic": ("Arabic",),
    "armenian": ("Armenian",),
    "greek": ("Greek",),
    "hindi": ("Devanagari",),
    "nepali": ("Devanagari",),
    "persian": ("Arabic",),
    "russian": ("Cyrillic",),
    "serbian": ("Latin", "Cyrillic"),
    "tamil": ("Tamil",),
    "yiddish": ("Hebrew",),
}
"""Scripts of PyStemmer's languages; Latin where not named."""


def check_scripts(run: RunContext) -> None:
    """Remark where the language's script has less than half of the letters of a sample."""
    source = run.config.sources.bm25
    if source is None or source.language in (None, AUTO):
        return
    for texts, counts in _counted(run).items():
        remark = _remark(source.language, texts, counts)
        if remark:
            run.remarks.add(remark)


def _remark(language: str, texts: str, counts: dict[str, int]) -> Remark | None:
    total = sum(counts.values())
    own = _SCRIPTS.get(language, ("Latin",))
    share = sum(counts.get(script, 0) for script in own) / total if total else 1.0
    if share >= LEAST_SHARE:
        return None
    most = max(counts, key=lambda script: counts[script])
    named = " or ".join(own)
    fitting = [name for name, scripts in _SCRIPTS.items() if most in scripts and most != "Latin"]
    fitting = fitting or (["the language of the texts"] if most == "Latin" else [])
    choices = " or ".join([*fitting, "null (words as they are)"])
    return Remark(
        code="language_does_not_fit",
        serious=False,
        title=f"sources.bm25.language is {language}, and {100 * share:.0f} % of the letters of the "
        f"{texts} are {named}",
        fact=f"{100 * counts[most] / total:.0f} % of a sample's letters are {most}. Stop words and "
        "stems of another language lose matches.",
        advice=f"Set sources.bm25.language to {choices}.",
        numbers={"texts": texts, "language": language, "share": round(share, 4), "letters": counts},
    )


def _counted(run: RunContext) -> dict[str, dict[str, int]]:
    """Letters by script in samples of documents and queries; kept beside the ingested data sets."""
    sets = run.ingested
    note = sets["documents"].directory.parent / "scripts.json"
    if storage.is_file(note):
        try:
            return dict(json.loads(storage.fetch(note).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            pass
    found = {name: script_counts(_sample(sets[name])) for name in ("documents", "queries")}
    with suppress(OSError):  # A note to save the counting; who needs the disk will say it better.
        write_json(note, found)
    return found


def _sample(dataset: Dataset) -> list[str]:
    """Texts evenly spread; of any data set no more than eight parts are read."""
    rows = dataset.rows
    starts = sorted({at * max(rows - _ROWS, 0) // max(_RUNS - 1, 1) for at in range(_RUNS)})
    held: dict[str, pa.Table] = {}
    texts: dict[int, str] = {}
    for start in starts:
        block = Block(start, min(start + _ROWS, rows))
        column = dataset.read_rows(block, ["text"], held).column("text")
        texts.update(zip(range(block.start, block.stop), column.to_pylist(), strict=True))
    return list(texts.values())
