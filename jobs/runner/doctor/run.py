"""`negmine doctor CONFIG --runner`: all that can be checked before a job is submitted."""

from collections.abc import Iterator, Sequence

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners import create_runner

from negmine.jobs.runner.doctor.access import access_checks
from negmine.jobs.runner.doctor.checks import Check, Checkup, State, ok, wrong
from negmine.jobs.runner.doctor.dataflow import option_checks
from negmine.jobs.runner.doctor.images import worker_checks
from negmine.jobs.runner.doctor.packages import package_checks
from negmine.jobs.runner.doctor.places import place_checks
from negmine.jobs.runner.doctor.portable import is_here, portable_checks
from negmine.jobs.runner.options import RUNNERS, arguments, missing
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError


def check_runner(config: Config, runner: str, given: Sequence[str] = ()) -> Checkup:
    """The checks of a run of this config on an engine.

    Args:
        config: of the run; its `runner.options` are taken whatever engine it names.
        runner: one of `RUNNERS`, in place of `runner.name`.
        given: Beam's options after `--`.

    Raises ConfigError for a runner that is none of them.
    """
    if runner not in RUNNERS:
        raise ConfigError(f"--runner {runner!r}: there are {', '.join(RUNNERS)}")
    return Checkup(runner, tuple(_checks(on_runner(config, runner), runner, given)))


def on_runner(config: Config, runner: str) -> Config:
    """The config with this engine named in it."""
    section = config.runner.model_copy(update={"name": runner})
    return config.model_copy(update={"runner": section})


def _checks(config: Config, runner: str, given: Sequence[str]) -> Iterator[Check]:
    yield from package_checks(runner)
    try:
        found = arguments(config.runner, given)
    except ConfigError as error:
        yield wrong("options", error, "correct it; options were not looked at further")
        yield from place_checks(config, runner, here=False)
        return
    options = PipelineOptions(list(found))
    values = options.get_all_options()
    if runner != "dataflow":
        for group in missing(found):
            yield wrong(" or ".join(group), "not given", f"set runner.options.{group[-1]}")
        yield from portable_checks(options, RUNNERS[runner])
        yield from place_checks(config, runner, is_here(values, RUNNERS[runner]))
        return
    looked = [*option_checks(values), *worker_checks(values)]
    yield from looked
    if not any(check.state is State.WRONG for check in looked):
        yield _by_beam(options)
    yield from access_checks(values.get("temp_location"))
    yield from place_checks(config, runner, here=False)


def _by_beam(options: PipelineOptions) -> Check:
    """What Beam itself would refuse of options that look right."""
    faults = PipelineOptionsValidator(options, create_runner("DataflowRunner")).validate()
    if faults:
        return wrong("options", " ".join(faults), "correct them")
    return ok("options", "Beam's own validator takes them")
