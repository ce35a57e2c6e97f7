"""Exports from Python: options by their names, as `negmine export` has them."""

from collections.abc import Callable
from dataclasses import fields

from negmine.jobs.exporting.source import has_lists, source_of
from negmine.jobs.runs.published import Run
from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters import Options, Report, export, for_use
from negmine.transforms.exporters.reading.split import parse_split
from negmine.transforms.kernels.folds import parse_fold
from negmine.transforms.storage.targets import EXPORTS

_PARSED: dict[str, Callable[[str], object]] = {"without_fold": parse_fold, "split": parse_split}
_OPTIONS: Callable[..., Options] = Options
"""Options by names that are checked here, of whatever types callers give."""


def export_run(
    run: Run, format: str | None, output: str | None = None, **options: object
) -> Report:
    """Export a run; `options` are fields of `Options`, a fold also as `I/N`, a split as NAME=SHARE.

    `format` may be null where `use` names a loss or a trainer. `output`: a file or folder; null =
    `<output>/exports/`. Raises as `exporters.export`, and ConfigError for an option that there is
    not.
    """
    known = [field.name for field in fields(Options)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ConfigError(
            f"export has no option {', '.join(unknown)}; there are {', '.join(known)}"
        )
    for name, parse in _PARSED.items():
        text = options.get(name)
        if isinstance(text, str):
            options[name] = parse(text)
    tiers = options.get("tiers")
    if isinstance(tiers, list):
        options["tiers"] = tuple(tiers)
    chosen, given = for_use(format, _OPTIONS(**options), has_lists(run))
    return export(source_of(run), chosen, output or f"{run.output / EXPORTS}/", given)
