"""Pydantic models of a run's YAML: every key documented, every rule checked here."""

from negmine.schemas.config.choosing import Lists, Sampling, Tier, Weighting
from negmine.schemas.config.language_mix import LanguageMix
from negmine.schemas.config.run import Config
from negmine.schemas.config.runner import Output, Runner
from negmine.schemas.config.student import Student, Vectors

__all__ = [
    "Config",
    "LanguageMix",
    "Lists",
    "Output",
    "Runner",
    "Sampling",
    "Student",
    "Tier",
    "Vectors",
    "Weighting",
]
