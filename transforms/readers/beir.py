"""BEIR folders: corpus.jsonl, queries.jsonl and qrels/<split>.tsv."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from schemas.errors import ConfigError, DataError
from schemas.inputs import BeirInput
from transforms import storage
from transforms.readers.lines import line_cap, lines, parsed
from transforms.readers.paths import compressed
from transforms.readers.qrels import read_qrels
from transforms.readers.rows import Rejected, Row, Source, bad, text_row


def sources(config: BeirInput) -> list[Source]:
    """The three files, then the qrels of the evaluation splits.

    Raises DataError naming what is missing, or the splits that are there, and ConfigError where an
    evaluation split is the one that is mined.
    """
    folder = storage.local_path(config.path)
    if not storage.is_dir(folder):
        raise DataError(f"input.path: {config.path} is not a folder; looked at {folder.absolute()}")
    found = [_qrels(folder, config.split, "split")]
    for kind, name in (("documents", "corpus.jsonl"), ("queries", "queries.jsonl")):
        file = compressed(folder / name)
        if file is None:
            raise DataError(f"{folder / name} does not exist (nor with .gz or .zst)")
        found.append(Source(kind, str(file.absolute()), file.name))
    for split in sorted(set(config.evaluation_splits)):
        if split == config.split:
            raise ConfigError(
                f"input.evaluation_splits: {split!r} is the split that is mined (input.split); "
                f"found {', '.join(_splits(folder))}"
            )
        found.append(replace(_qrels(folder, split, "evaluation_splits"), evaluation=True))
    return found


def _qrels(folder: Path, split: str, key: str) -> Source:
    file = compressed(folder / "qrels" / f"{split}.tsv")
    if file is not None:
        return Source("qrels", str(file.absolute()), f"qrels/{file.name}")
    names = _splits(folder)
    if not names:
        raise DataError(f"{folder / 'qrels'} holds no .tsv file, so there are no positives")
    raise DataError(
        f"input.{key}: no split {split!r} in {folder / 'qrels'}; found {', '.join(names)}"
    )


def _splits(folder: Path) -> list[str]:
    return sorted(
        {name.split(".tsv")[0] for name in storage.sizes(folder / "qrels") if ".tsv" in name}
    )


def read(source: Source, config: BeirInput, seed: int) -> Iterator[Row]:
    """Rows of one of the three files."""
    cap = line_cap(config.max_text_bytes)
    if source.kind == "qrels":
        yield from read_qrels(source, cap, config.max_unpacked_bytes, beir=True)
        return
    most = config.max_unpacked_bytes
    for number, data, size in lines(source.path, cap, most, source.digest):
        try:
            record = parsed(data, size)
        except Rejected as why:
            yield bad(number, source.kind, why, data)
            continue
        title = record.get("title") if source.kind == "documents" else None
        identity, text = record.get("_id"), record.get("text")
        yield text_row(source.kind, number, identity, text, title, config.max_text_bytes, data)
