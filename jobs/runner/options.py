"""Beam's options of a run: those of the config by name, then those after --, which win."""

import argparse
import difflib
import json
import re
import socket
from collections.abc import Iterator, Sequence
from typing import NoReturn
from urllib.parse import urlsplit

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners import create_runner
from apache_beam.transforms.resources import parse_resource_hints

import negmine.pipelines.hints  # noqa: F401 its options are Beam's from here on
from negmine.schemas import JsonObject
from negmine.schemas.config import Runner
from negmine.schemas.errors import ConfigError

RUNNERS = {
    "portable": "PortableRunner",
    "flink": "FlinkRunner",
    "spark": "SparkRunner",
    "dataflow": "DataflowRunner",
}
"""Beam's runner of each `runner.name`; `local` names none, and FnApiRunner is pinned."""

FORWARDING = ("PortableRunner", "FlinkRunner", "SparkRunner", "PrismRunner")
"""Runners that hand options which Beam does not know on to their job server."""

_REQUIRED = {
    "PortableRunner": (("job_endpoint",),),
    "FlinkRunner": (("flink_master", "job_endpoint"),),
    "SparkRunner": (("spark_master_url", "spark_rest_url", "job_endpoint"),),
    "DataflowRunner": (("project",), ("region",), ("temp_location",)),
}
"""For each runner groups of options, one of each group to be given; Beam would pick one."""

_UNHURRIED = "--job_server_timeout=604800"
"""A week. Beam's default cuts off the job service's reports, and so every job, at a minute."""
_READY = "--beam_plugins=negmine.pipelines.loaded"
"""What workers import before they say that they are there. Flink and Spark wait for that as long
as it takes, and three minutes from then to the first work; Prism waits a minute in all for it, so
there workers import it afterwards."""
_OURS_ALONE = "--no_save_main_session"
"""Beam would send Dataflow all that a notebook holds; our steps are importable on the workers."""

_SECRET = re.compile(r"secret|password|token|connection_string")
_MAGIC = ("embed", "[local]", "[auto]")
_SECONDS = 5.0


def resolve(runner: Runner, given: Sequence[str] = ()) -> tuple[str, ...]:
    """The arguments for Beam of a config's `runner` section followed by those after `--`.

    Resolving again what was resolved changes nothing. Raises ConfigError for a name that Beam does
    not know, a value that it refuses, or an option that the runner needs and nobody gave.
    """
    found = arguments(runner, given)
    for group in missing(found):
        raise ConfigError(
            f"{runner_name(found)} needs runner.options.{' or '.join(group)}; see docs/runners.md"
        )
    return found


def arguments(runner: Runner, given: Sequence[str] = ()) -> tuple[str, ...]:
    """As `resolve`, whether or not everything is there that the runner needs."""
    configured = _arguments(runner)
    given = tuple(given)
    if given[: len(configured)] == configured:
        given = given[len(configured) :]
    given = (*_defaults(runner_name(given), given), *given)
    if configured:
        check_options(configured, "runner.options", forwarding=runner.name in RUNNERS)
    if given:
        check_options(given, "after --", forwarding=runner.name in ("portable", "flink", "spark"))
    return (*configured, *given)


def _arguments(runner: Runner) -> tuple[str, ...]:
    hints = {"model_min_ram": runner.min_ram, "model_accelerator": runner.accelerator}
    found = [f"--{name}={value}" for name, value in hints.items() if value is not None]
    if runner.min_ram is not None or runner.accelerator is not None:
        _check_hints(runner)
    if runner.name in RUNNERS:
        found.insert(0, f"--runner={RUNNERS[runner.name]}")
    found += _defaults(RUNNERS.get(runner.name), tuple(runner.options))
    if runner.options:
        known = {name: a for a in _parser()._actions for name in a.option_strings}
        for name, value in runner.options.items():
            found += _argument(name, value, known)
    return tuple(found)


def _defaults(runner: str | None, given: Sequence[str]) -> tuple[str, ...]:
    """Options of ours for a Beam runner, unless others of that name are given."""
    ours: dict[str, str] = {}
    if runner == "DataflowRunner":
        ours = {_OURS_ALONE: "save_main_session"}
    if runner in FORWARDING:
        ours = {_UNHURRIED: "job_server_timeout"}
    if runner in ("FlinkRunner", "SparkRunner"):
        ours[_READY] = _READY
    return tuple(o for o, name in ours.items() if not any(name in option for option in given))


def _check_hints(runner: Runner) -> None:
    for name in ("min_ram", "accelerator"):
        value = getattr(runner, name)
        try:
            parse_resource_hints({name: value} if value is not None else {})
        except ValueError:
            raise ConfigError(
                f"runner.{name}: {value!r} cannot be used; write min_ram as 16GB, accelerator as "
                "type:nvidia-l4;count:1"
            ) from None


def _argument(name: str, value: object, known: dict[str, argparse.Action]) -> list[str]:
    if name == "runner":
        raise ConfigError(f"runner.options.runner: the runner ({value!r}) is named by runner.name")
    if _SECRET.search(name):
        raise ConfigError(
            f"runner.options.{name}: a run publishes its config; give this one after --, or as the "
            "service's own environment variable"
        )
    action = known.get(f"--{name}")
    if isinstance(value, bool) and (action is None or action.nargs == 0):
        return _flag(name, value, action, known)
    values = value if isinstance(value, list) else [value]
    return [f"--{name}={json.dumps(v) if isinstance(v, bool) else v}" for v in values]


def _flag(
    name: str, value: bool, action: argparse.Action | None, known: dict[str, argparse.Action]
) -> list[str]:
    """`--name` for true; for false the option that switches it off, if there is one."""
    if value:
        return [f"--{name}"]
    twins = (other for other, a in known.items() if action is not None and a.dest == action.dest)
    return next(([twin] for twin in twins if known[twin].const is False), [])


def _parser(arguments: Sequence[str] = (), where: str = "") -> argparse.ArgumentParser:
    """Beam's own parser, with the options of every class it knows, after it read `arguments`."""
    parsers: list[argparse.ArgumentParser] = []

    def refuse(message: str) -> NoReturn:
        raise ConfigError(f"Beam refuses an option ({where}): {message}")

    def keep(parser: argparse.ArgumentParser) -> None:
        parser.error = refuse  # type: ignore[method-assign]
        parsers.append(parser)

    PipelineOptions(list(arguments)).get_all_options(add_extra_args_fn=keep)
    return parsers[0]


def check_options(
    options: Sequence[str], where: str = "after --", forwarding: bool = False
) -> None:
    """Raise ConfigError for an option that Beam does not know, or a value that it refuses.

    `where` the options were given is for the message. `forwarding` lets unknown names through, as
    does a runner that hands them on.
    """
    parser = _parser(options, where)
    found, unknown = parser.parse_known_args(list(options))
    if found.runner in FORWARDING or (forwarding and found.runner is None):
        return
    try:
        create_runner(found.runner or "FnApiRunner")
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigError(f"--runner {found.runner}: {error}") from error
    for option in unknown:
        known = [name for action in parser._actions for name in action.option_strings]
        nearest = difflib.get_close_matches(option.split("=")[0], known, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else "options of negmine go before --"
        raise ConfigError(f"Beam knows no option {option!r} ({where}); {hint}")


def runner_name(options: Sequence[str]) -> str | None:
    """The runner that the options name, the last one; None for the pinned local one."""
    found = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    found.add_argument("--runner")
    name: str | None = found.parse_known_args(list(options))[0].runner
    return name


def missing(options: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of options of which the named runner needs one each, and none was given."""
    given = {option.split("=")[0].lstrip("-") for option in options}
    groups = _REQUIRED.get(runner_name(options) or "", ())
    return [group for group in groups if given.isdisjoint(group)]


def check_services(options: PipelineOptions, runner: str) -> None:
    """Raise ConfigError where nothing listens at the address of the runner's service."""
    for name, address in _services(options.get_all_options(), runner):
        try:
            parts = urlsplit(address if "//" in address else f"//{address}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if host is None:
            raise ConfigError(f"runner.options.{name}: {address!r} is not host:port")
        try:
            socket.create_connection((host, port or 80), timeout=_SECONDS).close()
        except OSError as error:
            raise ConfigError(
                f"{runner}: nothing answers at {address} (runner.options.{name}): "
                f"{error.strerror or error}. Start that service or correct the address; "
                "finished parts are kept"
            ) from error


def _services(found: JsonObject, runner: str) -> Iterator[tuple[str, str]]:
    """Addresses that this process itself connects to."""
    names: tuple[str, ...] = ()
    if runner in FORWARDING and found.get("job_endpoint"):
        names = ("job_endpoint",)
    elif runner == "FlinkRunner":
        names = ("flink_master",)
    elif runner == "SparkRunner":
        names = ("spark_rest_url",) if found.get("spark_rest_url") else ("spark_master_url",)
    for name in names:
        address = str(found[name])
        if address not in _MAGIC and not re.match(r"local(\[|$)|yarn|k8s:|mesos:", address):
            yield name, address
