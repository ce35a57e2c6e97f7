"""Offline mining of training negatives for embedding models and rerankers."""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """The version, read from the installed distribution when somebody asks for it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("negmine")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
