"""The argument that stands for a config, and the options beside it, the same in every command."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated

import typer

from negmine.jobs.choices import Choices
from negmine.jobs.runner.failures import check_address_space

if TYPE_CHECKING:
    from negmine.jobs.resolve_config import Resolved
    from negmine.schemas.config import Config

What = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG_OR_DATA",
        help="YAML file, preset (stdlib, beir, ...), or data: a file, a folder, a hub's name.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one key, dotted; repeatable."),
]
OutputFolder = Annotated[
    str | None, typer.Option("--output", "-o", metavar="DIR", help="Override output.path.")
]
Pool = Annotated[
    str | None, typer.Option(metavar="FILE", help="Further documents, of data: file or folder.")
]
Query = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column of queries, of data.")
]
Positive = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="The column of positives, of data; repeatable."),
]
Split = Annotated[str | None, typer.Option(metavar="NAME", help="Which split, of data.")]
Student = Annotated[
    str | None, typer.Option(metavar="MODEL", help="The model to be trained: folder or hub name.")
]
Judge = Annotated[
    str | None,
    typer.Option(
        metavar="KIND_OR_MODEL",
        help="none, fusion, late_interaction, cross_encoder, or a cross-encoder's folder or name.",
    ),
]
Negatives = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Negatives a query, of the tier hard.")
]


def asked_of(
    what: What,
    settings: Settings = None,
    output: OutputFolder = None,
    pool: Pool = None,
    query: Query = None,
    positive: Positive = None,
    split: Split = None,
    student: Student = None,
    judge: Judge = None,
    negatives: Negatives = None,
) -> "Asked":
    """The argument and the options of a command as one value."""
    check_address_space()
    told = (pool, query, tuple(positive or ()), split, student, judge, negatives)
    return Asked(what, Choices(tuple(settings or ()), output, *told))


@dataclass(frozen=True)
class Asked:
    """What a command was called with: the argument that stands for a config, and its options."""

    what: str
    choices: Choices

    def resolved(self) -> "Resolved":
        """What the argument stands for; on standard error, what data was taken for."""
        from negmine.jobs.resolve_config import resolve

        found = resolve(self.what, self.choices)
        if found.inspection is not None:
            typer.echo(found.inspection.text(found.values), err=True)
        if found.note:
            typer.echo(f"note: {found.note}", err=True)
        return found

    def config(self) -> "Config":
        """The validated config that the argument and its options stand for."""
        return self.resolved().config(self.choices)


def takes_config(command: Callable[..., None]) -> Callable[..., None]:
    """A command with this argument and these options in the place of its parameter `asked`."""

    together: Callable[..., Asked] = asked_of

    def run(**given: object) -> None:
        own = {name: given.pop(name) for name in list(given) if name not in known}
        command(**own, asked=together(**given))

    own, known = signature(command).parameters, signature(asked_of).parameters
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    placed: list[Parameter] = []
    for name, parameter in own.items():
        placed += known.values() if name == "asked" else [parameter]
    ordered = [p for p in placed if p.default is p.empty] + [
        p for p in placed if p.default is not p.empty
    ]
    named = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in ordered]
    run.__signature__ = Signature(named)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in named}
    return run
