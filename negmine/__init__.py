"""Offline mining of training negatives for embedding models and rerankers.

    import negmine

    run = negmine.mine(pairs="pairs.csv", student="path/to/model", negatives=7)
    run.negatives.df()
    train = run.to_dataset("n_tuple")

Names are imported when they are first used: `import negmine` itself loads nothing.
"""

from pathlib import Path

TYPE_CHECKING = False  # as of `typing`, which it would take to import
if TYPE_CHECKING:
    from negmine.jobs.api.mine import audit, mine
    from negmine.jobs.api.run import MinedRun, open_run
    from negmine.jobs.audit.request import Request as AuditRequest
    from negmine.jobs.load_config import load_config
    from negmine.schemas.config import Config
    from negmine.schemas.errors import NegmineError
    from negmine.transforms.batches import BatchPlan
    from negmine.transforms.exporters.epochs import Epochs

__all__ = [
    "AuditRequest",
    "BatchPlan",
    "Config",
    "Epochs",
    "MinedRun",
    "NegmineError",
    "__version__",
    "audit",
    "load_config",
    "mine",
    "open_run",
]

__version__: str

_PLACES = {
    "AuditRequest": ("negmine.jobs.audit.request", "Request"),
    "BatchPlan": ("negmine.transforms.batches", "BatchPlan"),
    "Config": ("negmine.schemas.config", "Config"),
    "Epochs": ("negmine.transforms.exporters.epochs", "Epochs"),
    "MinedRun": ("negmine.jobs.api.run", "MinedRun"),
    "NegmineError": ("negmine.schemas.errors", "NegmineError"),
    "audit": ("negmine.jobs.api.mine", "audit"),
    "load_config": ("negmine.jobs.load_config", "load_config"),
    "mine": ("negmine.jobs.api.mine", "mine"),
    "open_run": ("negmine.jobs.api.run", "open_run"),
}

# In a checkout the rooms of the house lie beside this folder; installed, they lie in it.
_beside = Path(__file__).parent.parent
if (_beside / "pipelines" / "graph.py").is_file():
    __path__.append(str(_beside))


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """A public name, or the version of the installed distribution, when it is asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("negmine")
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module, attribute = _PLACES[name]
        return getattr(import_module(module), attribute)
