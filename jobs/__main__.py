"""Entry point of `negmine` and of `python -m jobs`: runs the command, turns errors into words."""

import logging
import os
import sys

INTERRUPTED = 130
"""Exit code after Ctrl-C, which Typer turns into SystemExit."""


def main() -> None:
    """Run the command line; exits with the error's code (2 config, 3 data, 4 model, 5 storage)."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.basicConfig(level=logging.ERROR)
    from schemas.errors import NegmineError

    try:
        from jobs.cli import app

        app(prog_name="negmine")
    except NegmineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"error: {error.strerror or error}{where}", file=sys.stderr)
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
    main()
