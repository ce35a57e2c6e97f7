"""Command line over what is on disk: doctor and gc."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from negmine.jobs.cli.common import Json
from negmine.jobs.terminal import printable
from negmine.schemas.errors import ConfigError, StorageError
from negmine.schemas.locations import shown, url_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from negmine.jobs.workdir.diagnosis import Diagnosis
    from negmine.jobs.workdir.garbage import Garbage, Item
    from negmine.jobs.workdir.gc import Wanted


def doctor(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="WORKDIR|OUTPUT|CONFIG",
            help="A work directory or an output folder, here or in a store; a config of a run "
            "with --runner.",
        ),
    ],
    deep: Annotated[bool, typer.Option(help="Read every page and verify its checksum.")] = False,
    runner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Check what a run of CONFIG needs on dataflow, flink, spark or portable; 2 for "
            "what is wrong. Options after -- are Beam's.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Of CONFIG: override one key; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check artifacts and published runs; say what to delete. Changes nothing; 5 for damage."""
    if runner is not None:
        from negmine.jobs.cli.runner_check import check

        check(str(path), runner, settings or [], context.args, as_json)
        return
    if settings or context.args:
        raise ConfigError("--set and options after -- are of a config; give --runner too")
    from negmine.jobs.workdir.doctor import diagnose

    found = diagnose(path, deep)
    typer.echo(json.dumps(found.as_json(), indent=2) if as_json else _told(found))
    if not found.sound:
        raise typer.Exit(StorageError.exit_code)


def _told(found: "Diagnosis") -> str:
    pages = "every page read" if found.deep else "pages not read, --deep reads them"
    lines = [
        f"{found.artifacts:,} artifacts and {found.runs:,} runs looked at: "
        f"{found.counted.parts:,} parts, {found.counted.bytes:,} bytes, {pages}"
    ]
    for finding in found.findings:
        lines.append(f"{finding.kind:<11}{printable(finding.path)} {printable(finding.what)}")
    if found.remove or found.commands:
        lines += ["", "With no run at work; what is missing then is made anew by the next run:"]
        lines += [_removal(path) for path in found.remove]
        lines += [" ".join(shell_word(shown(word)) for word in c) for c in found.commands]
        lines.append("")
    lines.append("sound" if found.sound else "damaged")
    return "\n".join(lines)


_REMOVE = {"s3": "aws s3 rm --recursive", "gs": "gcloud storage rm --recursive"}


def _removal(path: Path) -> str:
    """The shell command that removes a file or folder, here or in a store."""
    url = url_of(path)
    if url is None:
        return f"rm -r -- {shell_word(str(path))}"
    # Of S3 --recursive takes whatever begins so, a folder's name without its end too.
    single = path.is_file()
    command = _REMOVE[url.partition(":")[0]].removesuffix(" --recursive" if single else "")
    return f"{command} {shell_word(url if single else url + '/')}"


def shell_word(text: str) -> str:
    """A word for a POSIX shell, `$'...'` where it holds control characters."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogateescape"))
    return f"$'{escaped}'"


def gc(
    outputs: Annotated[
        list[Path], typer.Argument(metavar="OUTPUT...", help="Folders that hold runs/.")
    ],
    workdir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Work directory. Default OUTPUT/work.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, metavar="RUNS", help="List runs older than the latest.")
    ] = None,
    runs: Annotated[bool, typer.Option("--runs", help="Remove those runs too.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also embeddings and pair scores that no run names.")
    ] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Remove; without it, list.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what no published run needs: lists it, and removes it with --delete."""
    from negmine.jobs.workdir.gc import Wanted, collect, find_garbage

    wanted = Wanted.of(outputs, workdir, keep, runs, everything)
    found = collect(wanted) if delete else find_garbage(wanted)
    if as_json:
        typer.echo(json.dumps({"removed": delete, **asdict(found)}, indent=2, default=_path))
        return
    typer.echo("\n".join(_listed(found, wanted, delete)))


def _path(path: object) -> str:
    return shown(str(path))


def _listed(found: "Garbage", wanted: "Wanted", delete: bool) -> "list[str]":
    lines = [_line(item) for item in found.items]
    total = f"{len(found.items):,} things, {found.bytes:,} bytes"
    if not found.items:
        lines.append("nothing to remove")
    else:
        lines.append(f"removed: {total}" if delete else f"would remove: {total}")
    if found.kept:
        lines.append(f"kept for row-level reuse: {_total(found.kept)} (--all: these go too)")
        lines += [_line(item) for item in found.kept]
    if found.old_runs and not wanted.runs:
        lines.append(f"older runs: {_total(found.old_runs)} (--runs: these go too), or")
        lines += [f"rm -r -- {shell_word(_shown(item.path))}" for item in found.old_runs]
    lines += [f"note: {printable(note)}" for note in found.notes]
    if found.items and not delete:
        lines.append("Nothing was removed; --delete removes it")
    return lines


def _line(item: "Item") -> str:
    return f"{item.bytes:>16,}  {printable(_shown(item.path))}  {item.why}"


def _shown(path: Path) -> str:
    """A path relative to here where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _total(items: "Sequence[Item]") -> str:
    return f"{len(items):,}, {sum(item.bytes for item in items):,} bytes"


def register(app: typer.Typer) -> None:
    """Mount the commands on the application."""
    app.command("doctor", context_settings={"allow_extra_args": True})(doctor)
    app.command("gc")(gc)
