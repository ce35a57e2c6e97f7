"""Where a path or URL lies on this machine."""

from pathlib import Path

from negmine.schemas.errors import ConfigError
from negmine.schemas.locations import MARKER, cache_folder, has_query, parts_of, without_secrets


def local_path(text: str | Path) -> Path:
    """Where a path or URL is locally: the mirror path of a URL, the path itself otherwise.

    Raises ConfigError for a URL without a bucket, with credentials or a query string, or whose key
    has an empty component, `.` or `..`.
    """
    found = parts_of(text)
    if found is None:
        return Path(text).expanduser()
    scheme, rest = found
    parts = rest.rstrip("/").split("/")
    if "@" in parts[0] or has_query(rest):
        raise ConfigError(
            f"{without_secrets(f'{scheme}://{rest}')}: a URL with a user, a password or a query "
            "string is not taken; give bucket and key alone, and credentials by the environment"
        )
    if not parts[0] or any(part in ("", ".", "..") for part in parts[1:]):
        raise ConfigError(f"{scheme}://{rest}: write {scheme}://bucket/key, without empty parts")
    return cache_folder() / MARKER / scheme / Path(*parts)
