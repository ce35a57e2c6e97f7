"""The form that Dataflow asks of its options, each rule with where it is written.

[options] docs.cloud.google.com/dataflow/docs/reference/pipeline-options
[job]     docs.cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.jobs (name, labels)
[image]   docs.cloud.google.com/dataflow/docs/guides/build-container-image, .../run-custom-container
[quotas]  docs.cloud.google.com/dataflow/quotas
[bucket]  docs.cloud.google.com/storage/docs/buckets
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from negmine.jobs.runner.doctor.checks import Check, ok, unknown, wrong
from negmine.jobs.runner.graph_rules import ACCELERATOR_FORM
from negmine.schemas import JsonObject

_BUCKET = r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"
_PLACE = rf"gs://{_BUCKET}(/((?!@[\d*])[^\r\n])*)?"
_NAME = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
_EMAIL = r"[a-z0-9-]+@[a-z0-9.:-]+\.gserviceaccount\.com"
_SUBNETWORK = (
    rf"(https://www\.googleapis\.com/compute/v1/projects/[a-z0-9.:-]+/)?"
    rf"regions/(?P<region>[a-z0-9-]+)/subnetworks/{_NAME}"
)
_SHARED_CORE = ("f1-", "g1-", "e2-micro", "e2-small", "e2-medium")
_LEAST_DISK = 30
"""GB: less does not hold the worker's own image and logs [options]."""
_MOST_WORKERS = 4_000
"""Instances of one batch job [quotas]."""
_MOST_LABELS = 64
_LABEL_KEY = r"[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}"
_LABEL_VALUE = r"[\p{Ll}\p{Lo}\p{N}_-]{0,63}"
_RUNNER_V2_OFF = (
    "disable_portable_runner",
    "disable_runner_v2",
    "disable_runner_v2_until_2023",
    "disable_runner_v2_until_v2.50",
    "disable_prime_runner_v2",
)
"""Experiments that Beam 2.77 refuses, for it has Runner v2 alone (dataflow_runner.py)."""


@dataclass(frozen=True)
class Form:
    """How the value of an option is written; `like` says it to people."""

    option: str
    pattern: str
    like: str
    required: bool = False


FORMS = (
    Form(
        "project", r"([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]",
        "the project's ID, not its name or number: 6 to 30 small letters, digits, hyphens", True,
    ),
    Form("region", r"[a-z]+-[a-z]+\d+", "a region such as us-central1, not a zone", True),
    Form("temp_location", _PLACE, "gs://bucket/folder", True),
    Form("staging_location", _PLACE, "gs://bucket/folder"),
    Form(
        "job_name", r"[a-z]([-a-z0-9]{0,1022}[a-z0-9])?",
        "small letters, digits, hyphens; a letter first, no hyphen last",
    ),
    Form("machine_type", r"[a-z][a-z0-9]*(-[a-z0-9]+)+", "a machine type such as n2-standard-8"),
    Form("service_account_email", _EMAIL, "NAME@PROJECT.iam.gserviceaccount.com"),
    Form("network", _NAME, "the name of a network"),
    Form("subnetwork", _SUBNETWORK, "regions/REGION/subnetworks/NAME, or its whole URL"),
    Form("worker_zone", r"[a-z]+-[a-z]+\d+-[a-z]", "a zone such as us-central1-b"),
    Form(
        "model_accelerator", ACCELERATOR_FORM,
        "type:nvidia-l4;count:1;install-nvidia-driver (runner.accelerator)",
    ),
    Form("autoscaling_algorithm", r"NONE|THROUGHPUT_BASED", "NONE or THROUGHPUT_BASED"),
)  # fmt: skip
"""[options]; project and job name as of [job], buckets as of [bucket]."""


def option_checks(options: JsonObject) -> Iterator[Check]:
    """The checks of Beam's options for Dataflow, by name, as `get_all_options` gives them."""
    for form in FORMS:
        yield from _form(form, options.get(form.option))
    if options.get("temp_location") and not options.get("staging_location"):
        yield ok("staging_location", "not given, so temp_location is used")
    yield from _region(options)
    yield from _machine(options)
    yield from _workers(options)
    yield from _labels(options.get("labels") or [])
    yield from _experiments(options.get("experiments") or [])


def _form(form: Form, value: object) -> Iterator[Check]:
    name = form.option
    if value is None:
        if form.required:
            yield wrong(name, "not given", f"set runner.options.{name}: {form.like}")
    elif regex.fullmatch(form.pattern, str(value)):
        yield ok(name, value)
    else:
        yield wrong(name, f"{value!r} is not {form.like}", f"correct runner.options.{name}")


def _region(options: JsonObject) -> Iterator[Check]:
    region = options.get("region")
    found = regex.fullmatch(_SUBNETWORK, str(options.get("subnetwork") or ""))
    if found and region and found["region"] != region:
        yield wrong(
            "subnetwork",
            f"it is in {found['region']}, the job in {region}",
            "name a subnetwork of the job's region",
        )
    zone = options.get("worker_zone")
    if zone and region and not str(zone).startswith(f"{region}-"):
        yield wrong("worker_zone", f"{zone} is not in {region}", "leave the zone to Dataflow")


def _machine(options: JsonObject) -> Iterator[Check]:
    machine, disk = str(options.get("machine_type") or ""), options.get("disk_size_gb")
    if machine.startswith(_SHARED_CORE):
        yield wrong(
            "machine_type",
            f"{machine} shares its core, which Dataflow does not support",
            "take n2-standard-8 or another with cores of its own",
        )
    if disk is not None and int(disk) < _LEAST_DISK:
        yield wrong(
            "disk_size_gb",
            f"{disk} GB does not hold a worker's image and logs",
            f"set {_LEAST_DISK} or more, and what a worker maps besides (docs/scale.md)",
        )
    elif disk is not None:
        yield ok("disk_size_gb", disk)
    else:
        yield unknown(
            "disk_size_gb",
            "not given; Dataflow's default is 25 GB for a batch job",
            "set what a worker maps: vectors, documents and postings (docs/scale.md)",
        )


def _workers(options: JsonObject) -> Iterator[Check]:
    least, most = options.get("num_workers"), options.get("max_num_workers")
    for name, value in (("num_workers", least), ("max_num_workers", most)):
        if value is not None and not 1 <= int(value) <= _MOST_WORKERS:
            yield wrong(name, value, f"give 1 to {_MOST_WORKERS:,}")
        elif value is not None:
            yield ok(name, value)
    if least is not None and most is not None and int(least) > int(most):
        yield wrong("num_workers", f"{least} is over max_num_workers {most}", "lower it")
    if most is None:
        yield unknown("max_num_workers", "not given", "set it: it is what bounds the cost")


def _labels(labels: str | Iterable[object]) -> Iterator[Check]:
    given = [labels] if isinstance(labels, str) else list(labels)
    faults = []
    for label in given:
        key, _, value = str(label).partition("=")
        for text, pattern in ((key, _LABEL_KEY), (value, _LABEL_VALUE)):
            if not regex.fullmatch(pattern, text) or len(text.encode()) > 128:
                faults.append(repr(label))
                break
    if faults:
        yield wrong(
            "labels",
            f"{', '.join(faults)} cannot be used",
            "write key=value of small letters, digits, _ and -, 63 at most, a letter first",
        )
    if len(given) > _MOST_LABELS:
        yield wrong("labels", f"{len(given)} labels", f"give {_MOST_LABELS} at most")
    elif given and not faults:
        yield ok("labels", ", ".join(map(str, given)))


def _experiments(experiments: Iterable[object]) -> Iterator[Check]:
    given = [part for e in experiments for part in str(e).split(",")]
    off = [name for name in _RUNNER_V2_OFF if name in given]
    if off:
        yield wrong("runner v2", f"{', '.join(off)} switches it off", "remove that experiment")
    else:
        yield ok("runner v2", "on, as it always is with this Beam")


def files_given(options: JsonObject) -> Iterator[tuple[str, Path]]:
    """The files of this machine that options name, by option."""
    for name in ("requirements_file", "setup_file"):
        if options.get(name):
            yield name, Path(str(options[name]))
    for extra in options.get("extra_packages") or []:
        yield "extra_packages", Path(str(extra))
