"""BEIR folders: corpus.jsonl, queries.jsonl and qrels/<split>.tsv."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.inputs import AUTO, BeirInput
from negmine.transforms import storage
from negmine.transforms.readers.columns import late_roles, text_of
from negmine.transforms.readers.paths import compressed
from negmine.transforms.readers.qrels import qrels_layout, read_qrels
from negmine.transforms.readers.rows import Rejected, Row, Source, Tag, bad, text_row
from negmine.transforms.readers.tables.headers import header_of
from negmine.transforms.readers.tables.json_objects import LateColumns, keys, objects
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.readers.tables.names import optional, required
from negmine.transforms.storage.suffixes import compression_of, kind_of_file

_GROUP = ("doc_group", "doc_place")


def sources(config: BeirInput) -> list[Source]:
    """The three files, then the qrels of the evaluation splits.

    Raises DataError naming what is missing, the splits that are there, or a header that is not
    known, and ConfigError where an evaluation split is the one that is mined.
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
                f"found {', '.join(splits_in(folder))}"
            )
        found.append(replace(_qrels(folder, split, "evaluation_splits"), evaluation=True))
    for source in found:
        if source.kind == "qrels":
            qrels_layout(text_of(source, config), header_of(config.header, "qrels"))
        else:
            _columns(source, config)
    return found


def _qrels(folder: Path, split: str, key: str) -> Source:
    files = judged_in(folder, split)
    if len(files) > 1:
        raise DataError(
            f"input.{key}: {folder / 'qrels'} holds {', '.join(file.name for file in files)}, all "
            f"of the split {split!r}, and one is read; take away the others, or join them in one"
        )
    if files:
        return Source("qrels", str(files[0].absolute()), f"qrels/{files[0].name}")
    names = splits_in(folder)
    if not names:
        raise DataError(f"{folder / 'qrels'} holds no .tsv file, so there are no positives")
    raise DataError(
        f"input.{key}: no split {split!r} in {folder / 'qrels'}; found {', '.join(names)}"
    )


def judged_in(folder: Path, split: str) -> list[Path]:
    """The files of judgements of a split, by name; of a file and the same packed the file."""
    return [folder / "qrels" / name for name in _judged(folder).get(split, ())]


def splits_in(folder: Path) -> list[str]:
    """The splits that a folder has qrels of, by name."""
    return sorted(_judged(folder))


def _judged(folder: Path) -> dict[str, list[str]]:
    """The names of the files of judgements, by split."""
    found: dict[str, list[str]] = {}
    names = sorted(storage.sizes(folder / "qrels"))
    for name in names:
        plain = Path(name).with_suffix("") if compression_of(name) else Path(name)
        again = plain.name != name and plain.name in names
        hidden = name.startswith((".", "_"))
        if kind_of_file(name) in ("tsv", "csv") and not again and not hidden:
            found.setdefault(plain.stem, []).append(name)
    return found


def read(source: Source, config: BeirInput, seed: int) -> Iterator[Row]:
    """Rows of one of the three files."""
    if source.kind == "qrels":
        judged = text_of(source, config)
        yield from read_qrels(judged, qrels_layout(judged, header_of(config.header, "qrels")))
        return
    known = _columns(source, config)
    key = _language_key(source)
    roles = (None, None, key, None, *_GROUP[: len(known) - 4])
    columns = LateColumns(known, late_roles(roles, config))
    named = getattr(config, key) not in (AUTO, None)
    cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
    for number, record, data in objects(source.path, cap, most, source.digest):
        if isinstance(record, Rejected):
            yield bad(number, source.kind, record, data)
            continue
        identity, text, language, title, *group = columns.values(record)
        tag = Tag(language, named)
        limit = config.max_text_bytes
        yield text_row(source.kind, number, identity, text, title, limit, data, tag, *group)


def _language_key(source: Source) -> str:
    return "doc_language" if source.kind == "documents" else "query_language"


def _columns(source: Source, config: BeirInput) -> list[Any]:
    """Keys of identifier, text and language, of documents also of title, group and place, None
    without.

    Identifier and text are _id and text or, where these are not there, usual ones.
    """
    names = keys(source.path, line_cap(config.max_text_bytes), config.max_unpacked_bytes)
    role = "doc" if source.kind == "documents" else "query"
    found = [
        own if own in names or not names else required(source.path, names, f"{role}_{what}", AUTO)
        for own, what in (("_id", "id"), ("text", "text"))
    ]
    key = _language_key(source)
    language = optional(source.path, names, key, getattr(config, key)) if names else None
    if source.kind != "documents":
        return [*found, language, None]
    keys_of = {key: getattr(config, key) for key in _GROUP}
    others = (optional(source.path, names, *key) for key in keys_of.items())
    return [*found, language, "title", *others]
