"""What the scripts ask of an engine, whichever it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.cluster import flink, prism, spark
from benchmarks.cluster.processes import Cluster, Job


class Engine(Protocol):
    """A module of this folder that starts an engine and asks it."""

    def up(
        self,
        folder: Path,
        cache: Path,
        workers: int = ...,
        cores: Sequence[int] = ...,
        version: str = ...,
    ) -> Cluster:
        """Start a cluster in a folder and wait for it."""

    def mend(self, folder: Path, cache: Path, cluster: Cluster) -> Cluster:
        """Start what does not run of a cluster, and wait for it."""

    def options(self, cluster: Cluster, folder: Path, cache: Path) -> list[str]:
        """Beam's options that lead to it."""

    def state(self, cluster: Cluster) -> str:
        """What the engine says of itself."""

    def done(self, cluster: Cluster, folder: Path) -> list[Job]:
        """Every job that it has run, oldest first."""


def engine(version: str) -> Engine:
    """The module of a name of `versions.VERSIONS`."""
    modules: dict[str, Engine] = {"flink": flink, "prism": prism, "spark": spark}
    return modules[version.partition("-")[0]]
