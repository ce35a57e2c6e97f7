"""Where an export goes: a file, a file and those of its other parts, or a folder."""

from pathlib import Path

from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters.formats import AnyFormat
from negmine.transforms.exporters.formats.folder import FolderFormat
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.exporters.writing.files import ENDINGS, STDOUT
from negmine.transforms.exporters.writing.folders import folder_target
from negmine.transforms.storage.targets import ending, refuse_special, target


def is_folder(made: AnyFormat, options: Options) -> bool:
    """Whether the export is a folder: of a format that is one, or of an epoch's files."""
    return isinstance(made, type) or options.epochs is not None


def place(
    source: Source, format: str, made: AnyFormat, options: Options, path: str | Path
) -> Path | None:
    """The file or folder to write; None for standard output. Raises ConfigError."""
    if str(path) == STDOUT:
        if options.split or is_folder(made, options):
            raise ConfigError(
                "standard output takes one file, and this export is several; give a folder or a "
                "file with --output"
            )
        return None
    name = f"{source.run_id}-{format}"
    outputs = (source.run, *source.outputs)
    if is_folder(made, options):
        return folder_target(path, name + ("-epochs" if options.epochs else ""), outputs)
    assert not isinstance(made, type)
    one_dot = getattr(made, "ONE_DOT", False)
    name = name.replace(".", "-") if one_dot else name
    file = target(
        path,
        "--output",
        getattr(made, "ENDINGS", ENDINGS),
        name=f"{name}{made.SUFFIX}",
        outputs=outputs,
        instead="or give - for standard output",
    )
    stem = file.name.removesuffix(ending(file))
    if one_dot and "." in stem:
        raise ConfigError(
            f"--output {file} has another dot in its name, and the reader of {format} takes what "
            f"follows the first one for the ending; write {stem.replace('.', '-')}{ending(file)}"
        )
    refuse_special(beside(file), "--output")
    if options.split:
        refuse_special(of_part(file, options.split[0]), "--output")
    return file


def beside(file: Path) -> Path:
    """The report beside a file."""
    return file.with_name(file.name + ".export.json")


def of_part(file: Path, part: str) -> Path:
    """The file of another part than `train`: x.jsonl.gz is x-val.jsonl.gz."""
    end = ending(file)
    return file.with_name(
        f"{file.name[: len(file.name) - len(end)]}-{part}{file.name[-len(end) :]}"
    )


def folder_of(made: type[FolderFormat], part: str, parts: int) -> str:
    """Where in the folder a part's files lie: in one of its name, unless the format says no."""
    return "" if parts == 1 or getattr(made, "FLAT", False) else f"{part}/"
