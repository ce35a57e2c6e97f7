"""Cards of data sets: the front matter that says which files a loader reads."""

from collections.abc import Mapping


def configs(files: Mapping[str, Mapping[str, str]], body: str = "") -> str:
    """README.md of a folder: configurations by name, the file of each split; then the text.

    The first is the one that a loader takes where none is named.
    """
    lines = ["---", "configs:"]
    for at, (name, splits) in enumerate(files.items()):
        default = [] if at else ["  default: true"]
        lines += [f"- config_name: {name}", *default, "  data_files:"]
        for split, file in splits.items():
            lines += [f"  - split: {split}", f"    path: {file}"]
    return "\n".join([*lines, "---", "", body]).rstrip("\n") + "\n"
