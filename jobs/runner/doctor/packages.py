"""Which packages this machine has, against what the run needs."""

import importlib.util
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from negmine.jobs.runner.doctor.checks import Check, ok, unknown, wrong

_ON_DATAFLOW = ((3, 10), (3, 14))
"""First and last Python that Dataflow takes with Beam 2.77 (apiclient.py)."""
_CLIENT = "google.cloud.dataflow_v1beta3"


def package_checks(runner: str) -> Iterator[Check]:
    """Beam and its extra, Python, and the versions that negmine asks for."""
    python = ".".join(map(str, sys.version_info[:3]))
    if runner == "dataflow":
        if _ON_DATAFLOW[0] <= sys.version_info[:2] <= _ON_DATAFLOW[1]:
            yield ok("python", f"{python}; Dataflow takes 3.{_ON_DATAFLOW[0][1]} to 3.14")
        else:
            yield wrong("python", f"{python} is not taken by Dataflow", "use 3.11, 3.12 or 3.13")
        yield _extra()
    else:
        yield unknown(
            "python", f"{python} here", "workers need the same minor version: look on one of them"
        )
    yield _versions()


def _extra() -> Check:
    try:
        found = importlib.util.find_spec(_CLIENT) is not None
    except ModuleNotFoundError:
        found = False
    if found:
        return ok("apache-beam[gcp]", f"installed, Beam {version('apache-beam')}")
    return wrong(
        "apache-beam[gcp]",
        "not installed, and Beam submits to Dataflow and stages in gs:// with it",
        'pip install "negmine[gcp]"',
    )


def _versions() -> Check:
    """Whether every installed package is of a version that negmine was tried with."""
    other = []
    for text in requires("negmine") or ():
        needed = Requirement(text)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            found = "not installed"
        if not needed.specifier.contains(found, prereleases=True):
            other.append(f"{needed.name} {found}, not {needed.specifier}")
    if other:
        return wrong(
            "versions", "; ".join(other), "pip install negmine again, here and in the image"
        )
    return ok("versions", f"those that negmine {version('negmine')} asks for")
