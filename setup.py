"""Lists the packages and their data files; everything else is in pyproject.toml."""

from setuptools import setup

setup(
    packages=[
        "schemas",
        "transforms",
        "transforms.exporters",
        "transforms.foreign",
        "transforms.judging",
        "transforms.kernels",
        "transforms.metrics",
        "transforms.models",
        "transforms.readers",
        "transforms.readers.tables",
        "transforms.storage",
        "pipelines",
        "jobs",
        "jobs.audit",
        "jobs.compare",
        "jobs.preflight",
        "jobs.report",
    ],
    package_data={
        "jobs": ["presets/*.yaml", "sql/*.sql", "templates/*"],
        "jobs.report": ["page.css", "filter.js"],
    },
)
