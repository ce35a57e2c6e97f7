"""OpenVINO's package: imported without its telemetry, refused in words where it is missing."""

import importlib.util
import sys
from functools import lru_cache
from types import ModuleType

from negmine.schemas.errors import ConfigError

_TELEMETRY = "openvino_telemetry"


def check_openvino(section: str) -> None:
    """Raise ConfigError where `backend: openvino` of a section is asked for and not installed."""
    if importlib.util.find_spec("openvino") is None:
        raise ConfigError(
            f"{section}.backend: openvino needs the package openvino, which is not installed; "
            f"pip install 'negmine[openvino]', or set {section}.backend: torch"
        )


@lru_cache(maxsize=1)
def openvino() -> ModuleType:
    """The package. Its import reports to its makers unless their telemetry package is missing."""
    known = sys.modules.get(_TELEMETRY)
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        if known is None:
            del sys.modules[_TELEMETRY]
        else:
            sys.modules[_TELEMETRY] = known
    return openvino
