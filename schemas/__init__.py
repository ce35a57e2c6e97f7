"""What the data looks like: tables, configuration, verdicts and errors. Imports nothing of ours."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""An object of JSON: part of a manifest, what decides an artifact, a line of a file."""
