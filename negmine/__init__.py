"""Offline mining of training negatives for embedding models and rerankers.

    import negmine

    config = negmine.load_config("run.yaml", ["input.limit=300"], "out")
    run = negmine.mine(config)
    run.manifest["summary"]["tiers"]

Names are imported when they are first used: `import negmine` itself loads nothing.
"""

from pathlib import Path

TYPE_CHECKING = False  # as of `typing`, which it would take to import
if TYPE_CHECKING:
    from negmine.jobs.audit.run import Request as AuditRequest
    from negmine.jobs.audit.run import audit
    from negmine.jobs.load_config import load_config
    from negmine.jobs.mining.publish import mine
    from negmine.jobs.runs.published import find_run as open_run
    from negmine.schemas.config import Config
    from negmine.transforms.batches import BatchPlan

__all__ = [
    "AuditRequest",
    "BatchPlan",
    "Config",
    "__version__",
    "audit",
    "load_config",
    "mine",
    "open_run",
]

__version__: str

_PLACES = {
    "AuditRequest": ("negmine.jobs.audit.run", "Request"),
    "BatchPlan": ("negmine.transforms.batches", "BatchPlan"),
    "Config": ("negmine.schemas.config", "Config"),
    "audit": ("negmine.jobs.audit.run", "audit"),
    "load_config": ("negmine.jobs.load_config", "load_config"),
    "mine": ("negmine.jobs.mining.publish", "mine"),
    "open_run": ("negmine.jobs.runs.published", "find_run"),
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
