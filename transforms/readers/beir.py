"""BEIR folders: corpus.jsonl, queries.jsonl and qrels/<split>.tsv."""

from collections.abc import Iterator
from pathlib import Path

from schemas.errors import DataError
from schemas.inputs import BeirInput
from transforms.readers.lines import line_cap, lines, parsed
from transforms.readers.paths import compressed
from transforms.readers.qrels import read_qrels
from transforms.readers.rows import Rejected, Row, Source, bad, text_row


def sources(config: BeirInput) -> list[Source]:
    """The three files. Raises DataError naming what is missing, or the splits that are there."""
    folder = Path(config.path).expanduser()
    if not folder.is_dir():
        raise DataError(f"input.path: {config.path} is not a folder; looked at {folder.absolute()}")
    qrels = compressed(folder / "qrels" / f"{config.split}.tsv")
    if qrels is None:
        raise DataError(_no_split(folder, config.split))
    found = [("qrels", qrels, f"qrels/{qrels.name}")]
    for kind, name in (("documents", "corpus.jsonl"), ("queries", "queries.jsonl")):
        file = compressed(folder / name)
        if file is None:
            raise DataError(f"{folder / name} does not exist (nor with .gz or .zst)")
        found.append((kind, file, file.name))
    return [Source(kind, str(path.absolute()), name) for kind, path, name in found]


def _no_split(folder: Path, split: str) -> str:
    names = {file.name.split(".tsv")[0] for file in (folder / "qrels").glob("*.tsv*")}
    if not names:
        return f"{folder / 'qrels'} holds no .tsv file, so there are no positives"
    return (
        f"input.split: no split {split!r} in {folder / 'qrels'}; found {', '.join(sorted(names))}"
    )


def read(source: Source, config: BeirInput, seed: int) -> Iterator[Row]:
    """Rows of one of the three files."""
    cap = line_cap(config.max_text_bytes)
    if source.kind == "qrels":
        yield from read_qrels(source, cap, beir=True)
        return
    for number, data, size in lines(source.path, cap):
        try:
            record = parsed(data, size)
        except Rejected as why:
            yield bad(number, source.kind, why, data)
            continue
        title = record.get("title") if source.kind == "documents" else None
        identity, text = record.get("_id"), record.get("text")
        yield text_row(source.kind, number, identity, text, title, config.max_text_bytes, data)
