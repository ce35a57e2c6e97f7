"""Credentials, and whether the bucket takes a file; never waits longer than told."""

import http.client
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pyarrow import fs

from negmine.jobs.runner.doctor.checks import Check, ok, unknown, wrong
from negmine.schemas.errors import StorageError
from negmine.transforms.storage import objects

SECONDS = 20.0
"""For all that is asked of a bucket."""
_METADATA = "169.254.169.254"
"""Where a machine of Google's asks for the account that it runs as."""
_LOGIN = "gcloud auth application-default login, or name a key in GOOGLE_APPLICATION_CREDENTIALS"


def access_checks(folder: str | None, seconds: float = SECONDS) -> Iterator[Check]:
    """Whether `folder`, a gs:// URL, can be written; a file goes there and is removed again."""
    if not hasattr(fs, "GcsFileSystem"):
        yield wrong("gs://", "this pyarrow reads no gs://", "pip install pyarrow again, from PyPI")
        return
    yield ok("gs://", "pyarrow reads and writes it")
    found = credentials()
    yield found
    if folder is None or not folder.startswith("gs://"):
        return
    if found.state != "ok":
        yield unknown("bucket", f"{folder} was not asked for", "give credentials, and look again")
        return
    yield _answered(lambda: _written(folder), folder, seconds)


def credentials() -> Check:
    """Where Google's client would find who it speaks for; nothing is sent but to this machine."""
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return ok("credentials", "none needed: STORAGE_EMULATOR_HOST names an emulator")
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    folder = os.environ.get("CLOUDSDK_CONFIG") or Path.home() / ".config" / "gcloud"
    file = Path(named or Path(folder) / "application_default_credentials.json")
    if named or file.is_file():
        try:
            kind = str(json.loads(file.read_text())["type"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            return wrong("credentials", f"{file} cannot be used ({type(error).__name__})", _LOGIN)
        return ok("credentials", f"{kind.replace('_', ' ')} in {file}")
    if _is_googles(_METADATA):
        return ok("credentials", "those of this machine, from its metadata server")
    return unknown("credentials", "none found on this machine", _LOGIN)


def _is_googles(host: str) -> bool:
    """Whether the metadata server of a machine of Google's answers there."""
    asked = http.client.HTTPConnection(host, timeout=1.0)
    try:
        asked.request("GET", "/", headers={"Metadata-Flavor": "Google"})
        return asked.getresponse().getheader("Metadata-Flavor") == "Google"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


def _written(folder: str) -> Check:
    url = f"{folder.rstrip('/')}/.negmine-doctor-{os.getpid()}"
    try:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"negmine doctor")
            file.flush()
            objects.upload(Path(file.name), url)
        objects.delete(url)
    except (StorageError, OSError) as error:
        return wrong(
            "bucket", error, "see that the bucket is there and that this account may write"
        )
    return ok("bucket", f"{folder} takes files")


def _answered(ask: Callable[[], Check], folder: str, seconds: float) -> Check:
    """What `ask` gives, unless that takes too long; it is left behind then."""
    found: list[Check] = []
    thread = threading.Thread(target=lambda: found.append(ask()), daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    return unknown(
        "bucket", f"{folder} did not answer within {seconds:.0f} s", "look at the network from here"
    )
