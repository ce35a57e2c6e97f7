"""Entry point of `negmine` and of `python -m jobs`: runs the command, turns errors into words."""

import atexit
import contextlib
import gc
import logging
import os
import sys
from typing import NoReturn

INTERRUPTED = 130
"""Exit code after Ctrl-C, which Typer turns into SystemExit."""

_COLLECT_AFTER = 50_000
"""Objects made between collections; at Python's 700 they cost a tenth of a short command."""


def process() -> NoReturn:
    """`main` as a process of its own, which ends at once.

    Taking the interpreter apart would cost half a second once Beam is loaded.
    """
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
    atexit._run_exitfuncs()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def main() -> None:
    """Run the command line; exits with the error's code (2 config, 3 data, 4 model, 5 storage)."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.basicConfig(level=logging.ERROR)
    from jobs.terminal import printable
    from schemas.errors import NegmineError

    try:
        from jobs.cli import app

        app(prog_name="negmine")
    except NegmineError as error:
        print("error: " + printable(error, keep="\n"), file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"error: {printable(error.strerror or error)}{printable(where)}", file=sys.stderr)
        sys.exit(5)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        print(
            "interrupted; finished parts are kept, the same command goes on from there",
            file=sys.stderr,
        )
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    process()
