"""The `negmine` command: mine, each stage alone, and config; other commands are mounted here."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from negmine.jobs import actions
from negmine.jobs.cli import audit as cli_audit
from negmine.jobs.cli import compare as cli_compare
from negmine.jobs.cli import init as cli_init
from negmine.jobs.cli import pairs as cli_pairs
from negmine.jobs.cli import refresh as cli_refresh
from negmine.jobs.cli import root as cli_root
from negmine.jobs.cli import runs as cli_runs
from negmine.jobs.cli import workdir as cli_workdir
from negmine.jobs.cli.choices import Asked, takes_config
from negmine.jobs.cli.common import Json, echo_run, print_wide
from negmine.jobs.plan.table import render_plan
from negmine.jobs.runner.streams import for_information
from negmine.pipelines.graph import GRAPH, mermaid
from negmine.schemas.locations import shown
from negmine.transforms.lean_beam import import_beam

if TYPE_CHECKING:
    from negmine.schemas.config import Config

app = typer.Typer(
    name="negmine",
    help="Mine training negatives for embedding models and rerankers, offline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_BEAM = {"allow_extra_args": True, "ignore_unknown_options": False}


@app.command(context_settings=_BEAM)
@takes_config
def mine(
    context: typer.Context,
    asked: Asked,
    max_leak: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Choose the judge's threshold: at most this share of hidden positives is taken.",
        ),
    ] = None,
    min_gain: Annotated[
        float | None,
        typer.Option(min=0, metavar="GAIN", help="Choose it: at least this expected gain."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Mine negatives end to end and publish the run. Options after -- go to Beam.

    Data is looked at, and what it was taken for is printed first, on standard error.
    """
    resolved = asked.config()
    _prepare(resolved, context)
    run = actions.mine(resolved, context.args, max_leak, min_gain)
    with for_information():
        if as_json:
            echo_run(run)
        else:
            print_wide(actions.verdict(run), 120)
    if not run.manifest["summary"]["verdicts"].get("kept"):
        typer.echo(
            "warning: the run holds no negatives; every candidate was dropped. The verdicts above "
            "say by what: loosen that policy, or look at the judge's scores with negmine query",
            err=True,
        )


@app.command(context_settings=_BEAM)
@takes_config
def plan(
    context: typer.Context,
    asked: Asked,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Estimate what mine would take: time, disk and pairs. Ingests, and times a small sample."""
    from negmine.jobs.plan.estimate import plan as make_plan

    found = make_plan(asked.config(), context.args)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return
    print_wide(render_plan(found), 140)


def _prepare(config: "Config", context: typer.Context) -> None:
    """Import Beam as a local run needs it, which this process does nothing else with."""
    if config.runner.name == "local" and not context.args:
        import_beam()


def _stage(stage: str, meaning: str) -> None:
    def command(context: typer.Context, asked: Asked) -> None:
        resolved = asked.config()
        _prepare(resolved, context)
        from negmine.jobs.mining.run import MiningRun

        run = MiningRun(resolved, context.args)
        if stage != "ingest":
            run.check()
        run.run_until(stage)
        with for_information():
            for name, entry in run.work.timings.items():
                state = "reused" if entry["reused"] else "done"
                typer.echo(f"{name:<10} {state:<7} {entry['seconds']:8.1f} s")
            typer.echo(f"work directory: {shown(str(run.work.root))}")

    command.__doc__ = f"{meaning} Earlier stages are made or reused."
    app.command(name=stage, context_settings=_BEAM)(takes_config(command))


_stage("ingest", "Read and check the collection.")
_stage("embed", "Embed documents and queries with the student.")
_stage("retrieve", "Retrieve candidates from every source.")
_stage("judge", "Score the candidates with the judge.")
_stage("select", "Give every candidate a verdict and a tier.")
_stage("score", "Count each query's negatives and compute their ECI.")
app.command(
    name="publish",
    context_settings=_BEAM,
    help="Publish the run from finished stages; the same as mine.",
)(mine)


@app.command(name="tune-index", context_settings=_BEAM)
@takes_config
def tune_index(
    context: typer.Context,
    asked: Asked,
    recall: Annotated[float, typer.Option(help="Recall to reach, from 0 to 1.")] = 0.95,
    k: Annotated[int, typer.Option("--k", help="Neighbours per query.")] = 100,
    queries: Annotated[int, typer.Option(help="Queries to sample.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure index types of dense retrieval on the collection's vectors, and name the cheapest."""
    from negmine.jobs.tune_index import run, table

    run.check_arguments(recall, k, queries)
    found = run.tune_index(asked.config(), recall, k, queries, context.args)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return
    print_wide(table.tune_table(found), 140)
    typer.echo("\n" + "\n".join(table.sentences(found)))


@app.command()
def stages(
    drawn: Annotated[
        bool, typer.Option("--mermaid", help="Print a Mermaid flowchart instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the run as a graph: what each stage reads, writes, and what decides its content."""
    if drawn:
        typer.echo(mermaid(), nl=False)
        return
    if as_json:
        typer.echo(json.dumps([asdict(stage) for stage in GRAPH], indent=2))
        return

    table = Table("stage", "command", "job", "reads", "writes", "its fingerprint covers", "when")
    for stage in GRAPH:
        sets = (", ".join(names) for names in (stage.reads, stage.writes))
        told = (stage.name, stage.command, stage.job, *sets, stage.covers, stage.optional)
        table.add_row(*told, end_section=True)
    print_wide(table, 140)


@app.command(name="config")
@takes_config
def show_config(asked: Asked, as_json: Json = False) -> None:
    """Print the resolved config."""
    import yaml

    resolved = asked.config().model_dump(mode="json")
    if as_json:
        typer.echo(json.dumps(resolved, indent=2, ensure_ascii=False))
        return
    typer.echo(yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True), nl=False)


cli_audit.register(app)
cli_compare.register(app)
cli_init.register(app)
cli_pairs.register(app)
cli_refresh.register(app)
cli_runs.register(app)
cli_workdir.register(app)
cli_root.register(app)
