"""A published run as the source of an export, and exports by the names of their options."""

from dataclasses import fields

from negmine.jobs.runs.published import Run
from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters import Options, Report, Source
from negmine.transforms.exporters import export as write
from negmine.transforms.kernels.folds import parse_fold
from negmine.transforms.storage.targets import EXPORTS


def source_of(run: Run) -> Source:
    """What exporters are told of a run."""
    artifacts = run.artifacts()
    lacking = [name for name in ("documents", "queries") if name not in artifacts]
    return Source(
        run=run.path,
        run_id=run.run_id,
        quotas=run.quotas,
        documents=artifacts.get("documents"),
        queries=artifacts.get("queries"),
        no_texts=run.missing_artifact(lacking[0]) if lacking else "",
        outputs=run.kept,
        input=run.manifest.get("summary", {}).get("input", {}),
    )


def export_run(run: Run, format: str, output: str | None = None, **options: object) -> Report:
    """Export a run; `options` are fields of `Options`, folds also as `I/N`.

    `output`: a file, a folder, or `-`; null = `<output>/exports/`. Raises as `exporters.export`,
    and ConfigError for an option that there is not.
    """
    known = [field.name for field in fields(Options)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ConfigError(
            f"export has no option {', '.join(unknown)}; there are {', '.join(known)}"
        )
    fold = options.get("without_fold")
    if isinstance(fold, str):
        options["without_fold"] = parse_fold(fold)
    if isinstance(options.get("tiers"), list):
        options["tiers"] = tuple(options["tiers"])  # type: ignore[arg-type]
    given = Options(**options)  # type: ignore[arg-type]
    return write(source_of(run), format, output or f"{run.output / EXPORTS}/", given)
