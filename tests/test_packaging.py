"""The distribution holds every package and its data files, under the one name `negmine`."""

import ast
import contextlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from unittest import mock

import apache_beam
import pytest

from tests.jobs.collections import digest, static_student, write_collection, write_config
from tests.jobs.runner.job_service import job_service

ROOT = Path(__file__).parent.parent
ROOMS = ("schemas", "transforms", "pipelines", "jobs")
SITE = Path(apache_beam.__file__).parents[1]
"""The site-packages of what negmine needs; its `.pth` files do not count on PYTHONPATH."""


def package_folders() -> set[str]:
    """Every folder with Python files, as its import name."""
    folders = {
        ".".join(("negmine", *file.parent.relative_to(ROOT).parts))
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
    }
    return folders | {"negmine"}


def data_files() -> set[str]:
    """What the packages hold beside Python: presets, templates, SQL, the report's page."""
    return {
        file.relative_to(ROOT).as_posix()
        for folder in ("negmine", *ROOMS)
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }


def in_wheel(names: set[str]) -> set[str]:
    """Files of the repository as the wheel names them."""
    return {name if name.startswith("negmine/") else f"negmine/{name}" for name in names}


def test_setup_lists_every_package_folder() -> None:
    with mock.patch("setuptools.setup") as setup, contextlib.chdir(ROOT):
        runpy.run_path("setup.py")
    listed = setup.call_args.kwargs["packages"]
    assert sorted(listed) == sorted(package_folders())


def test_every_package_folder_has_an_init() -> None:
    for package in package_folders():
        folder = ROOT.joinpath(*package.split(".")[1:]) if "." in package else ROOT / package
        assert (folder / "__init__.py").is_file(), package


def test_every_sql_file_describes_itself_on_its_first_line() -> None:
    files = sorted((ROOT / "jobs" / "runs" / "sql").glob("*.sql"))
    assert files
    for file in files:
        assert re.match(r"-- \S.{10,}\n", file.read_text(encoding="utf-8")), file.name


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd=environment.pop("PWD", None),
        env=environment or None,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with wheel and sdist; the wheel is built from the sdist, as `build` does."""
    pytest.importorskip("build")
    pytest.importorskip("setuptools", minversion="77")
    copy = tmp_path_factory.mktemp("source")
    target = tmp_path_factory.mktemp("dist")
    for name in ("negmine", *ROOMS, "docs", "tests", "benchmarks"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for file in (*ROOT.glob("*.md"), *ROOT.glob("*.py"), *ROOT.glob("*.toml")):
        shutil.copy(file, copy)
    for name in ("MANIFEST.in", "LICENSE", "Makefile"):
        shutil.copy(ROOT / name, copy)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, copy)
    return target


@pytest.fixture(scope="module")
def wheel(built: Path) -> set[str]:
    return set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())


def test_the_source_distribution_holds_everything(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile"} <= names
    assert {"tests/test_packaging.py", "docs/config.md", "benchmarks/tree.py"} <= names
    assert data_files() <= names


def test_the_wheel_holds_the_code_and_its_data_and_nothing_else(wheel: set[str]) -> None:
    code = {
        file.relative_to(ROOT).as_posix()
        for folder in ("negmine", *ROOMS)
        for file in (ROOT / folder).rglob("*.py")
    }
    held = {name for name in wheel if ".dist-info/" not in name}
    assert held == in_wheel(code | data_files())
    assert {
        "negmine/py.typed",
        "negmine/jobs/presets/stdlib.yaml",
        "negmine/jobs/templates/worker.Dockerfile",
        "negmine/jobs/runs/sql/tier_counts.sql",
        "negmine/jobs/report/page.css",
        "negmine/jobs/report/filter.js",
    } <= held


def test_the_only_top_level_name_is_negmine(built: Path, wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"negmine"}
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        (listed,) = (name for name in wheel if name.endswith("top_level.txt"))
        assert archive.read(listed).decode().split() == ["negmine"]
    assert any(name.endswith("LICENSE") for name in wheel)


@pytest.fixture(scope="module")
def beside(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody who has the wheel, and works beside packages of its old names.

    Those packages come first on the path, and refuse to be imported.
    """
    pytest.importorskip("ensurepip")
    folder = tmp_path_factory.mktemp("beside")
    for name in ROOMS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise ImportError('the other {name}')\n")
    venv = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", venv)
    arguments = ("--no-deps", "--no-index", "--quiet", next(built.glob("*.whl")))
    run(venv / "bin" / "python", "-m", "pip", "install", *arguments)
    return {
        "PATH": os.pathsep.join([str(venv / "bin"), "/usr/bin", "/bin"]),
        "PYTHONPATH": os.pathsep.join([str(folder), str(SITE)]),
        "PYTHONSAFEPATH": "",
        "HOME": str(folder),
        "PWD": str(folder),
    }


@pytest.mark.slow
def test_beside_folders_of_the_same_names_negmine_imports(beside: dict[str, str]) -> None:
    code = "import negmine, negmine.jobs; print(negmine.__file__, negmine.__version__)"
    where, version = run("python", "-c", code, **beside).split()
    assert Path(where).is_relative_to(Path(beside["PATH"].partition(os.pathsep)[0]).parent)
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in ROOMS:
        with pytest.raises(AssertionError, match=f"the other {name}"):
            run("python", "-c", f"import {name}", **beside)


def test_the_version_is_read_when_somebody_asks_and_nothing_else_is_loaded() -> None:
    code = "import sys; before = set(sys.modules); import negmine; print(set(sys.modules) - before)"
    assert ast.literal_eval(run(sys.executable, "-c", code)) == {"negmine"}


@pytest.mark.long
@pytest.mark.parametrize("stage", ["embed", "mine"])
def test_beside_folders_of_the_same_names_commands_and_workers_run(
    stage: str, beside: dict[str, str], tmp_path: Path
) -> None:
    for command in (("negmine",), ("python", "-m", "negmine")):
        assert "mine" in run(*command, "--help", **beside)
    config = write_config(
        tmp_path / "run.yaml",
        input={"format": "beir", "path": str(write_collection(tmp_path / "c")), "split": "train"},
        student={"model": str(static_student(tmp_path / "student"))},
        judge={"kind": "none"},
        output={"path": str(tmp_path / "out")},
    )
    python = beside["PATH"].partition(os.pathsep)[0] + "/python"
    with mock.patch.object(sys, "executable", python), job_service(tmp_path, beside) as services:
        options = (f"--{name}={value}" for name, value in services.items())
        run("negmine", stage, config, "--", "--runner=PortableRunner", *options, **beside)
    run("python", "-m", "negmine", "mine", config, **beside)
    runs = sorted((tmp_path / "out" / "runs").iterdir())
    assert len(runs) == (2 if stage == "mine" else 1)
    for published in runs:
        assert digest(published) and digest(published) == digest(runs[0])
