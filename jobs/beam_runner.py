"""Runs one stage's pipeline on the named runner, and gives its errors back as they were raised."""

import argparse
import difflib
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners import create_runner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from schemas import errors

_FORWARDING = ("PortableRunner", "FlinkRunner", "SparkRunner", "PrismRunner")
"""Runners that hand options which Beam does not know on to their job server."""

_RAISED = re.compile(r"schemas\.errors\.(\w+): (.*?)(?= \[while running|\n\n|\Z)", re.DOTALL)


def check_options(options: Sequence[str]) -> None:
    """Raise ConfigError for an option after -- that Beam does not know, or a value it refuses."""
    parsers: list[argparse.ArgumentParser] = []

    def refuse(message: str) -> NoReturn:
        raise errors.ConfigError(f"Beam refuses an option after --: {message}")

    def keep(parser: argparse.ArgumentParser) -> None:
        parser.error = refuse  # type: ignore[method-assign]
        parsers.append(parser)

    found = PipelineOptions(list(options)).get_all_options(add_extra_args_fn=keep)
    runner = found.get("runner")
    if runner in _FORWARDING:
        return
    try:
        create_runner(runner or "FnApiRunner")
    except (ValueError, ImportError, AttributeError) as error:
        raise errors.ConfigError(f"--runner {runner}: {_plain(str(error))}") from error
    _, unknown = parsers[0].parse_known_args(list(options))
    for option in unknown:
        known = [name for action in parsers[0]._actions for name in action.option_strings]
        nearest = difflib.get_close_matches(option.split("=")[0], known, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else "options of negmine go before --"
        raise errors.ConfigError(f"Beam knows no option {option!r}; {hint}")


def run_pipeline(
    build: Callable[[beam.Pipeline, Any], Any], task: Any, options: Sequence[str] = ()
) -> None:
    """Build and run one pipeline, and wait for it.

    Without `--runner` among the options this is FnApiRunner, in this process; `DirectRunner` would
    choose another engine where it can download one. Raises the NegmineError that a worker raised.
    """
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    for name in ("common", "worker"):  # they log the error that is raised below
        logging.getLogger(f"apache_beam.runners.{name}").setLevel(logging.CRITICAL)
    named = any(option.split("=")[0] == "--runner" for option in options)
    pipeline_options = PipelineOptions(list(options))
    runner = None if named else FnApiRunner()
    try:
        pipeline = beam.Pipeline(runner=runner, options=pipeline_options)
        build(pipeline, task)
        pipeline.run().wait_until_finish()
    except errors.NegmineError as error:
        raise type(error)(_plain(str(error))) from error
    except OSError as error:
        reason = _plain(error.strerror or str(error))
        where = f" ({error.filename})" if error.filename else ""
        raise errors.StorageError(
            f"{reason}{where}; finished parts are kept, the same command goes on from there"
        ) from error
    except Exception as error:
        if _was_interrupted(error):
            raise KeyboardInterrupt from error
        found = _RAISED.findall(str(error))
        kind = getattr(errors, found[-1][0], None) if found else None
        if kind is None:
            raise
        raise kind(_plain(found[-1][1])) from error


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is at the root: Beam turns one that lands in a DoFn into a RuntimeError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _plain(message: str) -> str:
    return message.split(" [while running", 1)[0].strip()
