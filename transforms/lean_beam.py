"""Apache Beam without the clients of services that a local run does not use: faster to import.

For processes of our own. In a notebook Beam is the user's, and is imported whole.
"""

import sys

UNUSED = ("boto3", "pandas", "pymongo")
"""Packages that Beam takes where it finds them."""


class _Refused:
    """Of `sys.meta_path`: these packages are not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in UNUSED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def import_beam() -> None:
    """Import Beam as if these packages were not installed, where it is not imported yet.

    They can be imported afterwards. Beam itself then cannot read S3 or MongoDB, nor take pandas
    for elements; what is stored is read and written by `transforms.storage`. PyArrow would import
    pandas to ask of a list whether it is a Series; it still does where a table of pandas is made.
    """
    if "apache_beam" in sys.modules:
        return
    refused = _Refused()
    sys.meta_path.insert(0, refused)
    try:
        import pyarrow

        pyarrow.array([0])
        import apache_beam  # noqa: F401
    finally:
        sys.meta_path.remove(refused)
