"""Entry point of `negmine` and of `python -m negmine`: runs it, turns errors into words."""

import atexit
import contextlib
import gc
import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from negmine.jobs.runner.failures import (
    EVERYTHING,
    causes,
    little_address_space,
    refused,
    unexpected,
)
from negmine.jobs.runner.streams import open_streams
from negmine.jobs.terminal import printable
from negmine.schemas.errors import NegmineError

INTERRUPTED = 130
"""Exit code after Ctrl-C, which Typer turns into SystemExit."""

MACHINE = 5
"""Exit code where the machine refuses: a disk, memory, threads, standard output."""

_COLLECT_AFTER = 50_000
"""Objects made between collections; at Python's 700 they cost a tenth of a short command."""


def process() -> NoReturn:
    """`main` as a process of its own, which ends at once.

    Taking the interpreter apart would cost half a second once Beam is loaded.
    """
    gc.set_threshold(_COLLECT_AFTER, 20, 20)

    open_streams()
    code = _ended(main)
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    code = _ended(sys.stdout.flush) or code
    sys.stderr.flush()
    os._exit(code)


def _ended(run: Callable[[], object]) -> int:
    """Exit code of what runs to its end, or as far as it gets; never a traceback."""

    try:
        run()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except NegmineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BaseException as error:
        if os.environ.get(EVERYTHING):
            traceback.print_exc()
        print(f"error: {unexpected(error)}", file=sys.stderr)
        return 1
    return 0


def main() -> None:
    """Run the command line; exits with the error's code (2 config, 3 data, 4 model, 5 storage)."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.basicConfig(level=logging.ERROR)

    try:
        from negmine.jobs.cli.mining import app

        app(prog_name="negmine")
    except NegmineError as error:
        told = refused(error)
        print("error: " + (told or printable(error, keep="\n")), file=sys.stderr)
        sys.exit(MACHINE if told else error.exit_code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        told = refused(error) or f"{printable(error.strerror or error)}{printable(where)}"
        print(f"error: {told}", file=sys.stderr)
        sys.exit(MACHINE)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        found = (c.args[0] for c in causes(end) if isinstance(c, KeyboardInterrupt) and c.args)
        left = "".join(f"{printable(told)}; " for told in [*found][:1])
        print(
            f"interrupted; {left}finished parts are kept, the same command goes on from there",
            file=sys.stderr,
        )
        sys.exit(INTERRUPTED)
    except Exception as error:
        # A library that gets no memory may say anything at all.
        told = refused(error) or little_address_space()
        if told is None:
            raise
        print(f"error: {printable(told)}", file=sys.stderr)
        sys.exit(MACHINE)


if __name__ == "__main__":
    process()
