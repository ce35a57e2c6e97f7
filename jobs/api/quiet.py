"""What other libraries say while a run is made, kept out of a notebook's cells."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SETTING = "HF_HUB_DISABLE_PROGRESS_BARS"
_SWITCHES = {"huggingface_hub.utils": "s", "transformers.utils.logging": ""}
"""Modules that switch bars on and off, and how they spell more than one."""


def _of_beam(record: logging.LogRecord) -> bool:
    """Beam's remark, on the root logger, that Google's client is not installed."""
    return not str(record.msg).startswith("apitools not found")


@contextmanager
def libraries_quiet() -> Iterator[None]:
    """No bars of model loading in the body, and no remarks on what Beam could have imported."""
    root = logging.getLogger()
    root.addFilter(_of_beam)
    before = {name: _bars(name) for name in _SWITCHES}
    fresh = os.environ.get(_SETTING) is None
    if fresh:
        os.environ[_SETTING] = "1"
    for name in _SWITCHES:
        _switch(name, on=False)
    try:
        yield
    finally:
        root.removeFilter(_of_beam)
        if fresh:
            del os.environ[_SETTING]
        for name, shown in before.items():
            _switch(name, on=fresh if shown is None else shown)


def _bars(name: str) -> bool | None:
    """Whether a library shows bars; None where it is not loaded."""
    module = sys.modules.get(name)
    if module is None:
        return None
    if name == "huggingface_hub.utils":
        return not module.are_progress_bars_disabled()
    return bool(module.is_progress_bar_enabled())


def _switch(name: str, on: bool) -> None:
    module = sys.modules.get(name)
    if module is not None:
        verb, s = ("enable" if on else "disable"), _SWITCHES[name]
        getattr(module, f"{verb}_progress_bar{s}")()
