"""Files that a user names to be written: checked before anything is, by one set of rules."""

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from negmine.schemas.errors import ConfigError
from negmine.schemas.locations import is_mirrored
from negmine.transforms import storage
from negmine.transforms.storage.places import local_path

_PACKED = (".gz", ".zst")
_KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
EXPORTS = "exports"
"""Folder of an output, the one in it where users' files go."""


def ending(path: Path) -> str:
    """What a name ends in, in lower case: `.parquet`, `.jsonl.gz`; empty where it has none."""
    last = path.suffix.lower()
    return f"{Path(path.stem).suffix.lower()}{last}" if last in _PACKED else last


def target(
    named: str | Path,
    option: str,
    endings: Collection[str],
    *,
    name: str | None = None,
    outputs: Iterable[Path] = (),
    allowed: Iterable[Path] = (),
    instead: str = "",
) -> Path:
    """The file to write, here or in a store.

    Args:
        named: what the user gave; a folder, or a path that ends in a slash, takes `name` in it.
        option: how it is called, for messages.
        endings: those that the file may have, in lower case.
        name: of the file where a folder is named; None where a folder is refused.
        outputs: folders that hold runs and work, where only `exports/` takes users' files.
        allowed: files in them that may be written all the same.
        instead: what else to do, told where the path is no regular file.

    Raises:
        ConfigError: it is a folder, a link, a device or a pipe, has another ending, or lies among
            runs and what they are made from.
    """
    path = local_path(named)
    if str(named).endswith(("/", os.sep)) or storage.is_dir(path):
        if name is None:
            raise ConfigError(f"{option} {path} is a folder; name a file in it")
        path = path / name
    refuse_special(path, option, instead)
    place = path if is_mirrored(path) else path.parent.resolve() / path.name
    if place not in [_resolved(file) for file in allowed]:
        _refuse_runs(path, place, option, outputs)
    if ending(path) not in endings:
        given = f"the ending {ending(path)}" if ending(path) else "no ending"
        raise ConfigError(
            f"{option} {path} has {given}, which says what to write: {', '.join(endings)}"
        )
    return path


def refuse_special(path: Path, option: str, instead: str = "") -> None:
    """Raise ConfigError where a path names anything but a regular file or nothing at all."""
    if is_mirrored(path):
        return
    also = f", {instead}" if instead else ""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if stat.S_ISLNK(mode):
        raise ConfigError(
            f"{option} {path} is a link to {os.readlink(path)}; a link is neither replaced nor "
            f"followed: name the file itself or remove the link{also}"
        )
    if stat.S_ISDIR(mode):
        raise ConfigError(f"{option} {path} is a folder; name a file")
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no regular file")
        raise ConfigError(f"{option} {path} is {kind}; name a regular file{also}")


def _resolved(path: Path) -> Path:
    return path if is_mirrored(path) else path.resolve()


def _refuse_runs(path: Path, place: Path, option: str, outputs: Iterable[Path]) -> None:
    known = [_resolved(output) for output in outputs]
    if not is_mirrored(place):
        known += [folder for folder in place.parents if _holds_runs(folder)]
    for output in known:
        if place.is_relative_to(output) and not place.is_relative_to(output / EXPORTS):
            raise ConfigError(
                f"{option} {path} lies in {output}, among runs and what they are made from, which "
                f"are never changed; name a file in {output / EXPORTS}, or elsewhere"
            )


def _holds_runs(folder: Path) -> bool:
    return (folder / "runs").is_dir() and (folder / "current").is_file()
