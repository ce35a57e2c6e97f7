"""Offline mining of training negatives for embedding models and rerankers."""

from pathlib import Path

__all__ = ["__version__"]

__version__: str

# In a checkout the rooms of the house lie beside this folder; installed, they lie in it.
_beside = Path(__file__).parent.parent
if (_beside / "pipelines" / "graph.py").is_file():
    __path__.append(str(_beside))


def __getattr__(name: str) -> str:
    """The version, read from the installed distribution when somebody asks for it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("negmine")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
