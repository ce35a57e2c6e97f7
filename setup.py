"""Lists the packages and their data files; everything else is in pyproject.toml."""

from setuptools import find_packages, setup

ROOMS = ["schemas", "transforms", "pipelines", "jobs"]
"""Folders of the repository whose import names are `negmine.<folder>`."""

packages = [
    name for room in ROOMS for name in (room, *(f"{room}.{p}" for p in find_packages(room)))
]

setup(
    packages=["negmine", *(f"negmine.{name}" for name in packages)],
    package_dir={"negmine": "negmine", **{f"negmine.{room}": room for room in ROOMS}},
    include_package_data=False,
    package_data={
        "negmine": ["py.typed"],
        "negmine.schemas": ["manifest.schema.json"],
        "negmine.jobs": ["presets/*.yaml", "templates/*"],
        "negmine.jobs.runs": ["sql/*.sql"],
        "negmine.jobs.report": ["page.css", "filter.js"],
    },
)
