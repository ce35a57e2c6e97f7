"""The command itself: its version, and examples under every command's help."""

from typing import Annotated

import typer

EXAMPLES: dict[str, tuple[str, ...]] = {
    "mine": (
        "negmine mine pairs.csv --student ./checkpoint --negatives 7",
        "negmine mine data/scifact --judge fusion -o out",
        "negmine mine beir --set input.path=data/scifact --max-leak 0.02",
        "negmine mine my.yaml --set sampling.method=top",
    ),
    "init": ("negmine init pairs.csv -o my.yaml", "negmine init data/scifact --split train"),
    "publish": ("negmine publish my.yaml -o out",),
    "plan": ("negmine plan my.yaml", "negmine plan my.yaml --set sources.dense.depth=200 --json"),
    "ingest": ("negmine ingest my.yaml --set input.limit=1000",),
    "embed": ("negmine embed my.yaml --set student.device=cpu",),
    "retrieve": ("negmine retrieve my.yaml --set sources.bm25.depth=200",),
    "judge": ("negmine judge my.yaml --set judge.kind=fusion",),
    "select": ("negmine select my.yaml --set sampling.method=top",),
    "score": ("negmine score my.yaml -o out",),
    "tune-index": ("negmine tune-index my.yaml --recall 0.99 --k 100",),
    "stages": ("negmine stages", "negmine stages --mermaid"),
    "config": ("negmine config my.yaml --set seed=7",),
    "pairs": (
        "negmine pairs pairs.csv --student ./checkpoint --quarantine 3 --beir sorted",
        "negmine pairs german.jsonl --with english.jsonl --student ./checkpoint --beir found",
    ),
    "audit": (
        "negmine audit theirs.jsonl --format flagembedding",
        "negmine audit train.parquet -f triplet --corpus corpus.jsonl --fix clean.parquet --json",
    ),
    "compare": ("negmine compare out:before out:after --html changes.html",),
    "refresh": ("negmine refresh out --student checkpoint -o next",),
    "export": (
        "negmine export out --for MultipleNegativesRankingLoss",
        "negmine export out --format triplet -o triplets.parquet",
        "negmine export out:first -f n_tuple --n 5 --scores -o train.jsonl",
    ),
    "batches": ("negmine batches out --size 32 --epochs 3 -o plan.parquet",),
    "query": (
        "negmine query out drop_reasons",
        'negmine query out "FROM negatives WHERE rank = 1 LIMIT 5" --json',
    ),
    "why": (
        "negmine why out q17",
        'negmine why out "date from time" "def formatTime"',
    ),
    "relabel": (
        "negmine relabel out --review review.jsonl --limit 50",
        "negmine relabel out review.jsonl -o labels.jsonl",
    ),
    "sweep": (
        "negmine sweep out --policy judge_calibrated_threshold.positives_above=0.3,0.5,0.7",
        "negmine sweep out --policy sampling.method=fused,top --plot leak.svg",
    ),
    "show": ("negmine show out", "negmine show out:first --json"),
    "report": ("negmine report out", "negmine report out:first -o page.html"),
    "list": ("negmine runs list out", "negmine runs list out --json"),
    "promote": ("negmine runs promote out first",),
    "doctor": (
        "negmine doctor out",
        "negmine doctor out/work --deep --json",
        "negmine doctor my.yaml --runner dataflow",
    ),
    "gc": ("negmine gc out", "negmine gc out --keep 3 --runs --delete"),
}
"""Command lines by command; a test reads each of them with the command's own parser."""


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"negmine {version('negmine')}")
        raise typer.Exit()


def negmine(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Mine training negatives for embedding models and rerankers, offline."""


def register(app: typer.Typer) -> None:
    """Give the application its version, and its commands their examples. Mount this last."""
    app.callback(no_args_is_help=True)(negmine)
    for group in (app, *(inner.typer_instance for inner in app.registered_groups)):
        for command in group.registered_commands if group else ():
            name = command.name or getattr(command.callback, "__name__", "")
            if command.epilog is None and name in EXAMPLES:
                # A blank line between two: help joins lines that follow each other.
                command.epilog = "\n\n".join(("Examples:", *EXAMPLES[name]))
