"""The distribution holds every package folder, its data files, and no name of anybody else's."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP = ("schemas", "transforms", "pipelines", "jobs")


def listed_packages() -> set[str]:
    """The `packages=[...]` of setup.py, read without running it."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    lists = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "packages"
    ]
    return set(ast.literal_eval(lists[0]))


def package_folders() -> set[str]:
    """Every folder with Python files below the top-level packages, as a dotted name."""
    return {
        ".".join(file.parent.relative_to(ROOT).parts)
        for top in TOP
        for file in (ROOT / top).rglob("*.py")
    }


def data_files() -> set[str]:
    return {
        file.relative_to(ROOT).as_posix()
        for pattern in ("presets/*.yaml", "sql/*.sql")
        for file in (ROOT / "jobs").glob(pattern)
    }


def test_setup_lists_every_package_folder() -> None:
    assert listed_packages() == package_folders()


def test_every_package_folder_has_an_init() -> None:
    for package in package_folders():
        assert (ROOT.joinpath(*package.split(".")) / "__init__.py").is_file(), package


def test_top_level_names_belong_to_this_distribution_alone() -> None:
    owners = importlib.metadata.packages_distributions()
    for name in TOP:
        assert set(owners.get(name, ["negmine"])) == {"negmine"}


def test_every_sql_file_describes_itself_on_its_first_line() -> None:
    files = sorted((ROOT / "jobs" / "sql").glob("*.sql"))
    assert files
    for file in files:
        assert re.match(r"-- \S.{10,}\n", file.read_text(encoding="utf-8")), file.name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build")
    pytest.importorskip("setuptools", minversion="77")
    copy = tmp_path_factory.mktemp("source")
    target = tmp_path_factory.mktemp("dist")
    for name in (*TOP, "docs", "tests"):
        for file in (ROOT / name).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                destination = copy / file.relative_to(ROOT)
                destination.parent.mkdir(parents=True, exist_ok=True)
                destination.write_bytes(file.read_bytes())
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "Makefile"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return target


def test_the_source_distribution_holds_everything(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "Makefile", "setup.py", "pyproject.toml"} <= names
    assert data_files() <= names


def test_the_wheel_holds_the_code_and_its_data_and_no_tests(built: Path) -> None:
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    code = {f"{package.replace('.', '/')}/__init__.py" for package in package_folders()}
    assert code | data_files() <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(TOP)
    assert any(name.endswith("LICENSE") for name in names)
