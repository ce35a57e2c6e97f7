"""Exporters: a published run's negatives and positives in the formats that trainers read."""

from negmine.transforms.exporters.export import export
from negmine.transforms.exporters.formats import (
    COMMON_OPTIONS,
    EXPORTERS,
    FOLDERS,
    OF_LISTS,
    Exporter,
    every_format,
    exporter,
)
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.exporters.report import Report
from negmine.transforms.exporters.uses import USES, for_use

__all__ = [
    "COMMON_OPTIONS",
    "EXPORTERS",
    "FOLDERS",
    "OF_LISTS",
    "USES",
    "Exporter",
    "Options",
    "Report",
    "Source",
    "every_format",
    "export",
    "exporter",
    "for_use",
]
