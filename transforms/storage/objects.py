"""Objects of s3:// and gs:// by pyarrow.fs; endpoint and credentials come from the environment."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from negmine.schemas.errors import StorageError

_SECOND = 1_000_000_000
CHUNK = 8 << 20
ATTEMPTS = 5
SECONDS = 20.0
"""Without a byte for so long a request has failed; NEGMINE_STORE_TIMEOUT overrides it."""

_ENVIRONMENT = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "STORAGE_EMULATOR_HOST",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "NEGMINE_STORE_TIMEOUT",
)
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
_REFUSED = re.compile(
    r"ACCESS_DENIED|AccessDenied|Forbidden|HTTP status 40[13]|code: 40[13]|PERMISSION_DENIED|"
    r"UNAUTHENTICATED|INVALID_ACCESS_KEY|SIGNATURE|InvalidAccessKey|INVALID_CLIENT_TOKEN|credential",
    re.IGNORECASE,
)
_NO_BUCKET = re.compile(r"NO_SUCH_BUCKET|bucket does not exist|NOT_FOUND", re.IGNORECASE)
_NOISE = re.compile(r" error_info=.*| \(Request ID.*?\)|Details: ", re.DOTALL)


class Entry(NamedTuple):
    """An object's bytes, and when it was written, ns since 1970."""

    size: int
    modified: int


def _filesystem(scheme: str, bucket: str) -> fs.FileSystem:
    return _opened(scheme, bucket, tuple(os.environ.get(name) for name in _ENVIRONMENT))


@lru_cache(maxsize=8)
def _opened(scheme: str, bucket: str, _: tuple[str | None, ...]) -> fs.FileSystem:
    seconds = float(os.environ.get("NEGMINE_STORE_TIMEOUT") or SECONDS)
    if scheme == "s3":
        return _s3(bucket, seconds)
    limit = timedelta(seconds=3 * seconds)
    host = os.environ.get("STORAGE_EMULATOR_HOST")
    if not host:
        return fs.GcsFileSystem(retry_time_limit=limit)
    parts = urlsplit(host if "//" in host else f"http://{host}")
    return fs.GcsFileSystem(
        anonymous=True,
        scheme=parts.scheme,
        endpoint_override=parts.netloc.rpartition("@")[2],
        retry_time_limit=limit,
    )


def _s3(bucket: str, seconds: float) -> fs.FileSystem:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    where: dict[str, str] = {}
    if endpoint:
        parts = urlsplit(endpoint if "//" in endpoint else f"https://{endpoint}")
        where = {
            "scheme": parts.scheme,
            "endpoint_override": parts.netloc.rpartition("@")[2],
            "region": region or "us-east-1",
        }
    else:
        where = {"region": region or fs.resolve_s3_region(bucket)}
    return fs.S3FileSystem(
        **where,
        allow_delayed_open=True,
        connect_timeout=min(seconds, 10.0),
        request_timeout=seconds,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
    )


@contextmanager
def _store(url: str, doing: str) -> Iterator[tuple[fs.FileSystem, str]]:
    """A store and a key in it. FileNotFoundError passes; what else fails is a StorageError."""
    scheme, _, key = url.partition("://")
    try:
        yield _filesystem(scheme, key.partition("/")[0]), key
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise _told(url, doing, error) from error


def _told(url: str, doing: str, error: Exception) -> StorageError:
    lines = _NOISE.sub("", str(error)).strip().splitlines() or [type(error).__name__]
    reason = lines[0]
    for name in _SECRETS:
        if secret := os.environ.get(name):
            reason = reason.replace(secret, "***")
    if _REFUSED.search(reason):
        advice = (
            "The store refused access: check the credentials in the environment (AWS_* or "
            "GOOGLE_APPLICATION_CREDENTIALS) and what they may do in this bucket"
        )
    elif _NO_BUCKET.search(reason):
        advice = "Is the bucket there? Create it, or correct the URL"
    else:
        advice = (
            "Check the network, the endpoint and the store's health, then run the same command "
            "again; finished parts are kept"
        )
    return StorageError(f"cannot {doing} {url}: {reason[:400]}. {advice}")


def entry(url: str) -> Entry | None:
    """The object, or None where there is none."""
    with _store(url, "look for") as (store, key):
        found = store.get_file_info(key)
    if found.type != fs.FileType.File:
        return None
    return _entry(found)


def _entry(info: fs.FileInfo) -> Entry:
    # Some stores give milliseconds in listings and seconds elsewhere.
    return Entry(info.size, (info.mtime_ns or 0) // _SECOND * _SECOND)


def is_folder(url: str) -> bool:
    """Whether keys go on behind this one."""
    with _store(url, "look for") as (store, key):
        return bool(store.get_file_info(key).type == fs.FileType.Directory)


def listing(url: str, recursive: bool) -> dict[str, Entry]:
    """Objects below a folder by the rest of their keys; none where there is no such folder."""
    return {
        name: _entry(info)
        for name, info in _listed(url, recursive)
        if info.type == fs.FileType.File and not name.endswith("/")
    }


def folder_names(url: str) -> list[str]:
    """Names of the folders directly below a folder, sorted."""
    # GCS names folders only where objects stand for them, so they are taken from the keys.
    deep = url.startswith("gs:")
    found = {
        name.partition("/")[0]
        for name, info in _listed(url, deep)
        if "/" in name or info.type == fs.FileType.Directory
    }
    return sorted(found)


def _listed(url: str, recursive: bool) -> list[tuple[str, fs.FileInfo]]:
    with _store(url, "list") as (store, key):
        selector = fs.FileSelector(key, recursive=recursive, allow_not_found=True)
        found = store.get_file_info(selector)
    return [(info.path.removeprefix(key).lstrip("/"), info) for info in found]


def download(url: str, target: Path) -> int:
    """Write an object to a file, a chunk at a time; returns its bytes."""
    total = 0
    with open(target, "wb") as file:
        with _store(url, "read") as (store, key):
            stream = store.open_input_stream(key, compression=None)
        try:
            while True:
                with _store(url, "read"):
                    data = stream.read(CHUNK)
                if not data:
                    return total
                file.write(data)
                total += len(data)
        finally:
            with suppress(OSError):
                stream.close()


def upload(source: Path, url: str) -> Entry:
    """Write a file to an object, which appears whole; its size is compared after."""
    size = 0
    try:
        with open(source, "rb") as file, _store(url, "write") as (store, key):
            stream = store.open_output_stream(key, compression=None)
            while data := file.read(CHUNK):
                stream.write(data)
                size += len(data)
            stream.close()
        found = entry(url)
    except FileNotFoundError as error:
        raise _told(url, "write", error) from error
    if found is None or found.size != size:
        there = "is not there" if found is None else f"has {found.size:,} bytes"
        delete(url)
        raise StorageError(f"{url} {there} after {size:,} bytes were written; run again")
    return found


def delete(url: str) -> None:
    """Delete an object; one that is missing is none."""
    with suppress(FileNotFoundError), _store(url, "delete") as (store, key):
        store.delete_file(key)


def delete_folder(url: str) -> None:
    """Delete every object below a folder."""
    if url.startswith("gs:"):
        for name in listing(url, True):
            delete(f"{url}/{name}")
        return
    with suppress(FileNotFoundError), _store(url, "delete") as (store, key):
        store.delete_dir(key)


@contextmanager
def opened(url: str) -> Iterator[pa.NativeFile]:
    """An object for random access. FileNotFoundError passes."""
    with _store(url, "read") as (store, key):
        file = store.open_input_file(key)
    with file:
        yield file
