"""Runs one stage's pipeline on the named runner, and gives its errors back as they were raised."""

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from schemas import errors

_RAISED = re.compile(r"schemas\.errors\.(\w+): (.*?)(?= \[while running|\n\n|\Z)", re.DOTALL)


def run_pipeline(
    build: Callable[[beam.Pipeline, Any], Any], task: Any, options: Sequence[str] = ()
) -> None:
    """Build and run one pipeline, and wait for it.

    Without `--runner` among the options this is FnApiRunner, in this process; `DirectRunner` would
    choose another engine where it can download one. Raises the NegmineError that a worker raised.
    """
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    named = any(option.split("=")[0] == "--runner" for option in options)
    pipeline_options = PipelineOptions(list(options))
    runner = None if named else FnApiRunner()
    try:
        pipeline = beam.Pipeline(runner=runner, options=pipeline_options)
        build(pipeline, task)
        pipeline.run().wait_until_finish()
    except errors.NegmineError as error:
        raise type(error)(_plain(str(error))) from error
    except Exception as error:
        found = _RAISED.findall(str(error))
        kind = getattr(errors, found[-1][0], None) if found else None
        if kind is None:
            raise
        raise kind(_plain(found[-1][1])) from error


def _plain(message: str) -> str:
    return message.split(" [while running", 1)[0].strip()
