"""Runs one stage's pipeline on the named runner, and gives its errors back as they were raised."""

import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeAlias

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult

from negmine.jobs.runner.engine import engine_of
from negmine.jobs.runner.graph_rules import graph_faults
from negmine.jobs.runner.lost import FULL, lost_part
from negmine.jobs.runner.options import FORWARDING, check_options, check_services, runner_name
from negmine.jobs.runner.progress import made_by
from negmine.jobs.runner.remote import RemoteJob, announced, catching
from negmine.schemas import errors
from negmine.transforms.counters import NAMESPACE
from negmine.transforms.workers import working_with

__all__ = ["check_options", "run_pipeline"]

_REMOTE = (*FORWARDING, "DataflowRunner")
_RAISED = re.compile(r"schemas\.errors\.(\w+): (.*?)(?= \[while running|\n\n|\Z)", re.DOTALL)
_SYSTEM = re.compile(r"^\w*Error: \[Errno \d+\] (.+?)(?: \[while running.*)?$", re.MULTILINE)
_RPC = re.compile(r"StatusCode\.(\w+)\s+details = \"([^\"]*)\"")
_ENDED = re.compile(r"Stream removed|Socket closed|Connection reset|recvmsg")
_PROTO_ID = re.compile(r"ref_AppliedPTransform_(.+)_\d+")
"""How Beam's portable runners name a step in what it counted."""

_KEPT = "finished parts are kept, the same command goes on from there"


class _Options(PipelineOptions):
    """Options whose views are made once: Beam asks for one at every step, and parses for each."""

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        # Past PipelineOptions, which takes an attribute for an option.
        object.__setattr__(self, "_views", {})

    def view_as(self, kind: type[PipelineOptions]) -> PipelineOptions:
        views = self.__dict__["_views"]
        if kind not in views:
            views[kind] = super().view_as(kind)
        return views[kind]


@lru_cache(maxsize=1)
def _local_options(arguments: tuple[str, ...]) -> _Options:
    """Those of all jobs of a run in this process; of others a service names each job in them."""
    return _Options(arguments)


Chain: TypeAlias = Sequence[tuple[str, beam.PTransform]]
"""Stages by name; each is applied to what the one before it gave, the first to the pipeline."""


def run_pipeline(
    chains: Sequence[Chain], options: Sequence[str] = (), after: Chain = (), workers: int = 1
) -> dict[str, dict[str, int]]:
    """Build and run one pipeline, wait for it, and return what its counters counted, by stage.

    Stages `after` are each applied to what all chains gave. A local run has so many `workers`,
    this process included, which share the blocks out.

    Without `--runner` among the options this is FnApiRunner, in this process; `DirectRunner` would
    choose another engine where it can download one. Raises the NegmineError that a worker raised,
    and ConfigError where the runner's service cannot be reached or does not take the job. Ends the
    process where a Dataflow template was asked for: the pipeline is written, not run.

    Where an engine runs it, SIGINT and SIGTERM cancel the job there, as far as that can be done
    from here; the KeyboardInterrupt says what is left to do.
    """
    runner = runner_name(options)
    _quiet(remote=runner in _REMOTE)
    pipeline_options = _local_options(tuple(options)) if runner is None else _Options(options)
    if runner is not None:
        check_services(pipeline_options, runner)
    engine = engine_of(options)
    job: RemoteJob | None = None
    with catching(wanted=engine is not None) as signals:
        try:
            with _submitting(runner):
                pinned = FnApiRunner() if runner is None else None
                pipeline = beam.Pipeline(runner=pinned, options=pipeline_options)
            with working_with(workers if runner is None else 1):
                add_stages(pipeline, chains, after)
                if runner == "DataflowRunner":
                    _check_graph(pipeline)
                with _submitting(runner), signals.held():
                    result = pipeline.run()
            if not getattr(result, "has_job", True):
                raise SystemExit(0)
            names = [name for chain in (*chains, after) for name, _ in chain]
            if engine is None:
                result.wait_until_finish()
                return _counted(result, names)
            job = RemoteJob(engine, result)
            signals.check()
            with announced(job), made_by(job):
                result.wait_until_finish()
            return _counted(result, names)
        except errors.NegmineError as error:
            raise type(error)(_plain(str(error))) from error
        except OSError as error:
            reason = _plain(error.strerror or str(error))
            where = f" ({error.filename})" if error.filename else ""
            raise errors.StorageError(f"{reason}{where}; {_KEPT}") from error
        except (Exception, KeyboardInterrupt) as error:
            if _was_interrupted(error):
                raise KeyboardInterrupt(*([job.end()] if job else [])) from error
            service = pipeline_options.view_as(PortableOptions).job_endpoint
            left = job.clear_away() if job else ""
            raised = _raised(str(error), runner, service, left)
            if raised is None:
                raise
            raise raised from error


def add_stages(pipeline: beam.Pipeline, chains: Sequence[Chain], after: Chain = ()) -> None:
    """Apply chains of stages to a pipeline, each stage under its name."""
    ends = []
    for chain in chains:
        made: object = pipeline
        for name, stage in chain:
            made = made | name >> stage
        ends.append(made)
    if after:
        every = ends | "All parts" >> beam.Flatten() if ends else pipeline
        for name, stage in after:
            _ = every | name >> stage


def _check_graph(pipeline: beam.Pipeline) -> None:
    """Raise ConfigError for a graph that the service would refuse, before anything is uploaded."""
    if faults := graph_faults(pipeline.to_runner_api()):
        raise errors.ConfigError(f"Dataflow would not take this job: {'; '.join(faults)}; {_KEPT}")


def _counted(result: PipelineResult, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """The committed counters of `negmine` by the stage that they belong to; empty for none."""
    try:
        found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    except (AttributeError, NotImplementedError, KeyError):
        return {}
    counts: dict[str, dict[str, int]] = {}
    for entry in found:
        stage = counts.setdefault(_stage_of(str(entry.key.step), names), {})
        name = entry.key.metric.name
        value = entry.committed if entry.committed is not None else entry.attempted
        stage[name] = stage.get(name, 0) + int(value or 0)
    return counts


def _stage_of(step: str, names: Sequence[str]) -> str:
    """The stage of a step: the head of its name, or, of a step in the proto, found by its id."""
    made = _PROTO_ID.fullmatch(step)
    if made is None:
        return step.partition("/")[0]
    fitting = [name for name in names if f"{made[1]}-".startswith(f"{_as_id(name)}-")]
    return max(fitting, key=len, default=made[1])


def _as_id(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]+", "-", unicodedata.normalize("NFC", name))


def _quiet(remote: bool) -> None:
    """Keep Beam from logging the error that is raised; of a remote runner warnings are shown."""
    logging.getLogger("apache_beam").setLevel(logging.WARNING if remote else logging.CRITICAL)
    for name in ("common", "worker"):
        logging.getLogger(f"apache_beam.runners.{name}").setLevel(logging.CRITICAL)
    root = logging.getLogger()
    root.removeFilter(_no_job_message)
    root.addFilter(_no_job_message)


def _no_job_message(record: logging.LogRecord) -> bool:
    return record.module != "portable_runner"


@contextmanager
def _submitting(runner: str | None) -> Iterator[None]:
    """Turn what stops a job from reaching its service into a ConfigError."""
    try:
        yield
    except Exception as error:
        ours = isinstance(error, errors.NegmineError) or _was_interrupted(error)
        if ours or runner not in _REMOTE:
            raise
        rpc = _RPC.search(str(error))
        text = rpc[2] if rpc else " ".join(str(error).split()) or type(error).__name__
        raise errors.ConfigError(
            f"{runner} did not take the job: {text[:600]}. Correct runner.options or start what is "
            f"missing; {_KEPT}"
        ) from error


def _raised(
    message: str, runner: str | None, service: str | None, left: str = ""
) -> errors.NegmineError | None:
    """The error for people behind a failed job's message, None where it is none.

    `left` is what there is to do about a job that is out of sight.
    """
    kept = f"{left}; {_KEPT}" if left else _KEPT
    found = _RAISED.findall(message)
    kind = getattr(errors, found[-1][0], None) if found else None
    if kind is not None:
        error: errors.NegmineError = kind(_plain(found[-1][1]))
        return error
    if runner not in _REMOTE:
        return None
    if system := _SYSTEM.findall(message):
        return errors.StorageError(f"{system[-1]}, on a worker of {runner}; {_KEPT}")
    if lost := lost_part(message):
        refusal = errors.StorageError if FULL.search(message) else errors.ConfigError
        return refusal(f"{runner}: {lost}; {_KEPT}")
    rpc = _RPC.findall(message)
    if rpc and rpc[-1][0] == "DEADLINE_EXCEEDED":
        return errors.ConfigError(
            f"{runner}: the job did not end within job_server_timeout seconds; see whether its "
            f"workers start, or raise that option; {kept}"
        )
    if rpc and service and _ENDED.search(rpc[-1][1]):
        return errors.ConfigError(
            f"{runner}: the job service at {service} ended while the job ran ({rpc[-1][1]}); start "
            f"it again; {kept}"
        )
    if rpc:
        return errors.ConfigError(f"{runner} lost its service or workers: {rpc[-1][1]}; {kept}")
    return None


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is at the root: Beam turns one that lands in a DoFn into a RuntimeError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _plain(message: str) -> str:
    return message.split(" [while running", 1)[0].strip()
