"""From a path, folder or glob in the configuration to the files that it names."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms import storage
from negmine.transforms.readers.rows import Source
from negmine.transforms.storage.suffixes import (
    COMPRESSIONS,
    compression_of,
    kind_of_file,
    require_kind,
)

METADATA = ("dataset_info.json", "dataset_infos.json", "state.json", "dataset_dict.json")
"""Files that the library datasets writes beside a data set; they hold no rows."""


def compressed(path: Path) -> Path | None:
    """The file itself, or the one beside it that ends in .gz or .zst; None where there is none.

    Case matters in no suffix.
    """
    for suffix in ("", *COMPRESSIONS):
        candidate = path.with_name(path.name + suffix)
        if storage.is_file(candidate):
            return candidate
    for name in sorted(storage.sizes(path.parent)):
        plain = Path(name).with_suffix("") if compression_of(name) else Path(name)
        if plain.stem == path.stem and plain.suffix.lower() == path.suffix:
            return path.parent / name
    return None


def not_a_file(path: Path) -> str:
    """What stands at a path that is no regular file."""
    if os.path.lexists(path) and not path.exists():
        return f"{path} is a link that leads nowhere"
    return f"{path} is a pipe or device, not a file" if path.exists() else f"{path} does not exist"


def expand(pattern: str, key: str, kinds: Sequence[str]) -> list[tuple[Path, str]]:
    """Files that a path, folder or glob names, each with its relative name, ordered by that name.

    Of a folder, the files of these kinds (see `kind_of_file`), at any depth, without hidden ones;
    of a glob, every file. `key` is the configuration's key. Raises DataError where there is none.
    """
    path = storage.local_path(pattern)
    if storage.is_file(path):
        return [(path, path.name)]
    if storage.is_dir(path):
        found = [
            (file, file.relative_to(path))
            for file in storage.files(path)
            if kind_of_file(file) in kinds and file.name not in METADATA
        ]
        named = [
            (file, relative.as_posix())
            for file, relative in found
            if not any(part.startswith((".", "_")) for part in relative.parts)
        ]
        for file, _ in named:
            if not (storage.is_mirrored(file) or file.is_file()):
                raise DataError(f"input.{key}: {not_a_file(file)}; take it away, or mend it")
        if not named:
            wanted = ", ".join(kinds)
            other = [file for file in storage.files(path) if file.name not in METADATA]
            there = sorted({file.suffix for file in other if kind_of_file(file)})
            said = f"; it holds {', '.join(there)}: name them by a pattern" if there else ""
            raise DataError(f"input.{key}: folder {pattern} holds no {wanted} file{said}")
    elif glob.has_magic(pattern):
        root = _fixed_part(path)
        files = storage.matching(root, path.relative_to(root).as_posix())
        named = [(file, file.relative_to(root).as_posix()) for file in files]
        if not named:
            raise DataError(f"input.{key}: no file matches {pattern}")
    else:
        raise DataError(f"input.{key}: {not_a_file(path)}; looked at {path.absolute()}")
    return sorted(named, key=lambda pair: pair[1].encode("utf-8", "surrogateescape"))


def _fixed_part(path: Path) -> Path:
    fixed = path
    while glob.has_magic(str(fixed)):
        fixed = fixed.parent
    return fixed


@dataclass(frozen=True)
class Kinds:
    """What a setting's files may be: `folder`, the kinds taken of a folder; `named`, those that a
    file or a glob may name; `default`, what a file without a suffix is, "" for none."""

    folder: tuple[str, ...]
    named: tuple[str, ...]
    default: str = ""


def file_sources(kind: str, pattern: str, key: str, kinds: Kinds) -> list[Source]:
    """One source for each file that `expand` finds. Raises DataError, of unknown suffixes too."""
    found = expand(pattern, key, kinds.folder)
    for path, _ in found:
        require_kind(path, f"input.{key}", kinds.named, kinds.default)
    return [Source(kind, str(path.absolute()), name) for path, name in found]


def evaluation_sources(
    kind: str, patterns: Sequence[str], key: str, kinds: Kinds, mined: Sequence[Source]
) -> list[Source]:
    """One evaluation source for each file that the patterns name, each file once.

    Raises DataError as `expand` does, and ConfigError where one of the files is mined: a source of
    the same kind in `mined`.
    """
    known = {os.path.realpath(source.path) for source in mined if source.kind == kind}
    found: dict[str, Source] = {}
    for source in (s for pattern in patterns for s in file_sources(kind, pattern, key, kinds)):
        path = os.path.realpath(source.path)
        if path in known:
            raise ConfigError(
                f"input.{key}: {source.path} is what is mined; name {kind} that are kept for "
                "evaluation only"
            )
        found.setdefault(path, replace(source, evaluation=True))
    return sorted(found.values(), key=lambda source: (source.name, source.path))
