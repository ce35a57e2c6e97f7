"""Command line of `export`: a run in the formats that trainers read."""

from negmine.jobs import actions
from negmine.jobs.cli.common import RunArgument
from negmine.jobs.cli.options import export as given
from negmine.jobs.exporting.told import tell
from negmine.jobs.runs.published import find_run


def export(
    run: RunArgument,
    format: given.Format = None,
    use: given.Use = None,
    output: given.Output = None,
    positives: given.WhichPositives = given.Positives.ALL,
    tier: given.Tiers = None,
    without_fold: given.WithoutFold = None,
    split: given.Split = None,
    scores: given.Scores = False,
    scale: given.ScoreScale = None,
    lists: given.Lists = False,
    raw: given.Raw = False,
    ranking: given.Ranking = False,
    backfilled: given.Backfilled = True,
    n: given.Count = None,
    short: given.ShortQueries = None,
    epochs: given.Epochs = None,
    schedule: given.Schedule = None,
    instruction: given.Instruction = None,
    prompt: given.Prompt = None,
    type: given.Type = None,
) -> None:
    """Write a run's negatives and positives in a trainer's format."""
    tell(
        actions.export(
            find_run(run),
            format,
            output,
            tiers=tuple(tier or ()),
            backfilled=backfilled,
            positives=positives.value,
            lists=lists,
            raw=raw,
            ranking=ranking,
            without_fold=without_fold,
            split=split,
            scores=scores,
            scale=scale.value if scale else None,
            n=n,
            short=short.value if short else None,
            epochs=epochs,
            schedule=schedule,
            instruction=instruction,
            prompt=prompt,
            type=type,
            use=use,
        )
    )
