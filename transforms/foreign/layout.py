"""Where the rows, the corpus and the queries of a set lie, where it is a folder of files."""

from pathlib import Path
from typing import NamedTuple

from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.foreign.files import expand
from negmine.transforms.foreign.formats import ALIASES, NAMED, named_of
from negmine.transforms.foreign.records import document
from negmine.transforms.readers.paths import compressed

_TRIPLETS = "triplet"
_METADATA = "merlin_metadata.json"


class Layout(NamedTuple):
    """A format, its files of rows, and what says the texts of their identifiers, if anything."""

    format: str
    files: list[Path]
    corpus: str | None
    queries: str | None


def find_layout(format: str, paths: list[str], corpus: str | None, queries: str | None) -> Layout:
    """The files that `paths` stand for; corpus and queries beside them unless they are named.

    Raises DataError where a file is missing.
    """
    if format == "hf":
        paths = [str(storage.local_path(path) / _TRIPLETS) for path in paths]
        return Layout("triplet", [f for path in paths for f in expand(path)], corpus, queries)
    format = ALIASES.get(format, format)
    files = [file for path in paths for file in _rows(format, path)]
    wanted = dict(zip(("queries", "corpus"), named_of(format), strict=True))
    if format == "automodel" and corpus is None:
        corpus = _corpus_of(files)
    if corpus is None and wanted["corpus"] == "id":
        corpus = _beside(format, files, "corpus")
    if queries is None and wanted["queries"] == "id":
        queries = _beside(format, files, "queries")
    return Layout(format, files, corpus, queries)


def _rows(format: str, path: str) -> list[Path]:
    place = storage.local_path(path)
    found = NAMED.get(format)
    usual = found.beside.get("rows") if found else None
    if usual and storage.is_dir(place):
        rows = compressed(place / usual)
        if rows is not None:
            return [rows]
        if format != "msmarco":
            raise DataError(f"folder {path} holds no {usual}, where --format {format} has its rows")
    return expand(path)


def _beside(format: str, files: list[Path], what: str) -> str | None:
    """The usual file in the folder of the rows; None where it is not there."""
    usual = NAMED[format].beside.get(what)
    found = compressed(files[0].parent / usual) if usual and files else None
    return str(found) if found else None


def _corpus_of(files: list[Path]) -> str | None:
    """The corpus that Automodel's training files declare: the same one, of one file.

    Raises DataError where it cannot be found, or an entry names another.
    """
    found: set[Path] = set()
    for file in files:
        value = document(file)
        declared = value.get("corpus") or []
        if len(declared) != 1 or not isinstance(declared[0], dict) or "path" not in declared[0]:
            raise DataError(
                f"{file} declares {len(declared)} corpora and not one; its miner and this audit "
                "take one at a time, or name it with --corpus"
            )
        place = (file.parent / str(declared[0]["path"])).resolve()
        if not storage.is_dir(place):
            raise DataError(
                f"{file} declares the corpus {declared[0]['path']}, and {place} is not there; a "
                "relative path counts from the file's folder. Name it with --corpus"
            )
        _check_name(file, place, value["data"])
        parts = [part for part in expand(str(place)) if part.name != _METADATA]
        if len(parts) != 1:
            raise DataError(
                f"the corpus {place} has {len(parts)} files of documents; join them into one and "
                "name it with --corpus"
            )
        found.add(parts[0])
    if len(found) > 1:
        raise DataError(
            f"the files declare {len(found)} corpora ({', '.join(sorted(map(str, found)))}); audit "
            "those of one corpus at a time"
        )
    return str(found.pop()) if found else None


def _check_name(file: Path, place: Path, entries: list[dict[str, object]]) -> None:
    """Raise DataError where an entry names another corpus than the declared one."""
    try:
        name = storage.read_json(storage.fetch(place / _METADATA)).get("corpus_id")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"{place / _METADATA} cannot be read ({error}); Automodel wants it in a corpus, with "
            '"class" and "corpus_id"'
        ) from None
    for at, entry in enumerate(entries, 1):
        if entry.get("corpus_id") != name:
            raise DataError(
                f"{file} entry {at}: its corpus_id is {entry.get('corpus_id')!r:.60}, and "
                f"{_METADATA} of {place} says {name!r:.60}; correct the one or the other"
            )
