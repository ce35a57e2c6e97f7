"""Files and runs that a config names besides its input and its models."""

from negmine.jobs.mining.judging.given_scores import score_files
from negmine.jobs.runs.published import find_run
from negmine.schemas.config import Config
from negmine.schemas.judges import Precomputed
from negmine.transforms.sources.given import GivenFiles


def check_files(config: Config) -> None:
    """Raise at once for candidates, scores or earlier runs that are not there.

    DataError for files, ConfigError for a run.
    """
    if config.sources.given is not None:
        GivenFiles.of(config.sources.given)
    for name in config.sources.memory.runs if config.sources.memory else ():
        find_run(name)
    for judge in config.judge.flat():
        if isinstance(judge, Precomputed):
            score_files(judge.path)
