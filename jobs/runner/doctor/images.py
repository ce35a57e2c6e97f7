"""What a worker in a container finds there: negmine, and the Beam and Python of this machine."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from negmine.jobs.runner.doctor.checks import Check, ok, unknown, wrong
from negmine.jobs.runner.doctor.dataflow import files_given
from negmine.schemas import JsonObject

_REFERENCE = re.compile(
    r"(?P<path>[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*)"
    r"(:(?P<tag>\w[\w.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_STOCK = re.compile(r"(.*/)?(beam_python3\.\d+_sdk|python3\d+|beam-python3\d+.*)")
"""Images that hold Beam and nothing of ours: Beam's own, and Dataflow's copies of them."""
_BEAM = re.compile(r"beam[_-]?v?(\d+\.\d+\.\d+)")
_PYTHON = re.compile(r"py(?:thon)?[_-]?(3)\.?(\d{2})(?!\d)")
_BUILD = "build one from jobs/templates/worker.Dockerfile"


def worker_checks(options: JsonObject) -> Iterator[Check]:
    """Whether the options bring negmine to the workers, in the versions of this machine."""
    image, files = options.get("sdk_container_image"), list(files_given(options))
    for name, file in files:
        if not file.is_file():
            yield wrong(name, f"{file} is not there", f"correct runner.options.{name}")
        elif name == "requirements_file":
            yield _pinned(file)
        else:
            yield ok(name, file)
    if image:
        yield from _image(str(image), brought=bool(files))
    elif not files:
        yield wrong(
            "worker image",
            "neither sdk_container_image nor requirements_file, setup_file or extra_packages: "
            "workers would have no negmine",
            f"{_BUILD} and set runner.options.sdk_container_image",
        )
    else:
        yield ok("worker image", "Beam's own for this Beam and Python; packages come with the job")


def _image(image: str, brought: bool) -> Iterator[Check]:
    found = _REFERENCE.fullmatch(image)
    if found is None:
        yield wrong("worker image", f"{image!r} is no name of an image", "write REGISTRY/NAME:TAG")
        return
    beam, python = _BEAM.search(image), _PYTHON.search(image)
    stock = _STOCK.fullmatch(found["path"])
    held = beam[1] if beam else found["tag"] if stock else None
    ours, here = version("apache-beam"), f"{sys.version_info[0]}.{sys.version_info[1]}"
    if held and held != ours:
        yield wrong(
            "worker image",
            f"{image} holds Beam {held}, and this is {ours}",
            "build it from the image of the same version; jobs of mixed versions fail",
        )
    elif python and f"{python[1]}.{python[2]}" != here:
        yield wrong(
            "worker image",
            f"{image} holds Python {python[1]}.{python[2]}, and this is {here}",
            "submit with the Python of the image, or build it for this one",
        )
    elif stock and not brought:
        yield wrong("worker image", f"{image} is Beam's own and holds no negmine", _BUILD)
    elif found["digest"] is None and found["tag"] in (None, "latest"):
        yield unknown(
            "worker image",
            f"{image} names no version, so workers may differ from one job of a run to the next",
            f"tag it with what it holds, as beam{ours}-py{here}",
        )
    elif held and python:
        yield ok("worker image", f"{image}: Beam {ours}, Python {here} by its name")
    else:
        yield unknown(
            "worker image",
            f"{image} does not say its Beam and Python; here they are {ours} and {here}",
            f"look with: docker run --rm --entrypoint pip {image} list",
        )


def _pinned(file: Path) -> Check:
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    loose = [line for line in lines if line and not line.startswith("-") and "==" not in line]
    if loose:
        return unknown(
            "requirements_file",
            f"{file} leaves versions open: {', '.join(loose[:3])}",
            "pin them with ==, so that every worker of every job has the same",
        )
    return ok("requirements_file", file)
