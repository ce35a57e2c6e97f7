"""An export as a `datasets.Dataset` that is mapped from disk, whatever its size."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.jobs import actions
from negmine.jobs.runs.published import Run
from negmine.schemas.errors import ConfigError
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.storage.atomic import replacing
from negmine.transforms.storage.targets import EXPORTS

if TYPE_CHECKING:
    import datasets


def mapped(run: Run, format: str, options: Mapping[str, object]) -> "datasets.Dataset":
    """The rows of an export in a format of columns, an Arrow file in `<output>/exports/`.

    Raises ConfigError where `datasets` is missing, and as `actions.export`.
    """
    try:
        import datasets
    except ImportError:
        raise ConfigError(
            "to_dataset needs the package datasets: pip install 'negmine[datasets]'; or export to "
            "Parquet with run.export(format)"
        ) from None
    several = [name for name in ("split", "epochs") if options.get(name) is not None]
    if several:
        raise ConfigError(
            f"{several[0]} makes several files, and to_dataset gives one data set; write them with "
            "run.export(...) (negmine.Epochs reads those of epochs)"
        )
    key = {name: str(value) for name, value in sorted(options.items())}
    name = f"{run.run_id}-{format.replace('-', '_')}-{fingerprint(key)[:12]}"
    file = run.output / EXPORTS / f"{name}.parquet"
    report = actions.export(run, format, str(file), **dict(options))
    if report.path is None or report.path.suffix != ".parquet":
        raise ConfigError(f"{format} has no columns; write it with run.export({format!r})")
    arrow = report.path.with_suffix(".arrow")
    with (
        pq.ParquetFile(report.path) as parquet,
        replacing(arrow) as temporary,
        pa.ipc.new_stream(temporary, parquet.schema_arrow) as stream,
    ):
        for batch in parquet.iter_batches():
            stream.write_batch(batch)
    return datasets.Dataset.from_file(str(arrow))
