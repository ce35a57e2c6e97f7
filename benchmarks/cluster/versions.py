"""The engines that a cluster can be of, at the versions that were run, and where they lie."""

from dataclasses import dataclass

from benchmarks.cluster.downloads import JobServer

_FLINK = "org.apache.beam.runners.flink.FlinkJobServerDriver"
_FLINK_PARTS = [
    "annotations",
    "clients",
    "connector-datagen",
    "core",
    "file-sink-common",
    "hadoop-fs",
    "java",
    "metrics-core",
    "optimizer",
    "queryable-state-client-java",
    "rpc-akka-loader",
    "rpc-core",
    "runtime",
    "streaming-java",
]


@dataclass(frozen=True)
class Version:
    """An engine at one version: its package on PyPI with the SHA-256 of its source distribution.

    `beam` is the version of Beam on the engine's side. Where there is a `server`, it is the newest
    one that Maven Central gave whole, in plain artifacts. Where there is none, `package` is a
    module of Go and `digest` its sum.
    """

    name: str
    number: str
    beam: str
    package: str
    digest: str
    server: JobServer | None = None


def _flink(number: str, digest: str, libraries: bool) -> Version:
    """Flink, with Beam's runner for 1.19, which is compiled for it, or given its `libraries`."""
    beam = "2.62.0"
    pins = tuple(("org.apache.flink", f"flink-{part}", number) for part in _FLINK_PARTS)
    server = JobServer(
        "beam-runners-flink-1.19",
        beam,
        _FLINK,
        *((f"on-flink-{number}", pins) if libraries else ()),
    )
    return Version("Flink", number, beam, "apache-flink-libraries", digest, server)


VERSIONS = {
    "flink-1.19": _flink(
        "1.19.3", "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60", False
    ),
    "flink-1.20": _flink(
        "1.20.3", "f07f07a46bb272c1e851379ed92105928367019db31240091a5367fc92800289", True
    ),
    "spark-3.5": Version(
        "Spark",
        "3.5.7",
        "2.62.0",
        "pyspark",
        "80e36514e0c5c126d35a26adf4f405cd4a69de96a8ea8a3c1e9a65fce2fb4eaa",
        JobServer(
            "beam-runners-spark-3", "2.62.0", "org.apache.beam.runners.spark.SparkJobServerDriver"
        ),
    ),
    "prism": Version(
        "Prism",
        "2.77.0",
        "2.77.0",
        "github.com/apache/beam/sdks/v2",
        "h1:RsC61pHEvtySEHAURQyP/+CVOJm/hy5hewuG9JF0+Ow=",
    ),
}
"""By the name that `cluster.py up --engine` takes."""
