"""A run that is published in a store, where nothing is renamed: its manifest goes up last."""

import os
import shutil
import socket
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from negmine.jobs.runs.published import MANIFEST, Run, current_if_readable
from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.schemas.locations import cache_folder
from negmine.transforms import storage
from negmine.transforms.storage.atomic import write_json

CLAIMED = 3600.0
"""Seconds for which a claim keeps others from publishing under the same name."""


def taken(run: Path) -> StorageError:
    """Why a run cannot be published under its name."""
    output = run.parent.parent
    force = ""
    if Run(run).complete and current_if_readable(output) != run.name:
        force = f". To put it in force: negmine runs promote {output} {run.name}"
    return StorageError(
        f"{run} is there already, and a published run is never changed; choose another "
        f"output.run_id or leave it out{force}"
    )


@dataclass
class StoredRun:
    """A run's folder in a store from its claim to its manifest, without which nobody reads it.

    The claim is an object beside the folder that names this process. It is compared once more
    before the manifest goes up, so of two that publish under one name the later claim wins.
    """

    run: Path
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    complete: bool = False

    @property
    def claim(self) -> Path:
        return self.run.parent / f".{self.run.name}.claim"

    @property
    def staging(self) -> Path:
        """A folder of this machine alone where manifest and report are made."""
        return cache_folder() / "negmine-staging" / f"{self.run.name}.{self.token}"

    def begin(self) -> None:
        """Claim the name and remove what an interrupted attempt left. Raises StorageError."""
        self._refuse_published()
        holder = self._holder()
        if holder and time.time() - float(holder.get("time", 0)) < CLAIMED:
            raise StorageError(
                f"{self.run} is being published by process {holder.get('process')} on "
                f"{holder.get('host')}. Choose another output.run_id; or, where that process has "
                f"ended, delete {self.claim} and run again"
            )
        write_json(
            self.claim,
            {
                "token": self.token,
                "host": socket.gethostname(),
                "process": os.getpid(),
                "time": time.time(),
            },
        )
        self._refuse_published()
        storage.remove_tree(self.run)

    def copy_parts(self) -> None:
        """Have the parts that the workers uploaded in `staging`."""
        storage.fetch_tree(self.run)
        shutil.copytree(self.run, self.staging, copy_function=os.link)

    def end(self) -> None:
        """Upload what was made in `staging`, the manifest last. Raises StorageError."""
        made = [file.name for file in self.staging.iterdir() if file.is_file()]
        for name in sorted(made, key=lambda name: (name == MANIFEST, name)):
            if name == MANIFEST:
                self._confirm()
            os.replace(self.staging / name, self.run / name)
            storage.put(self.run / name)
        self.complete = True

    def _confirm(self) -> None:
        holder = self._holder()
        if holder.get("token") != self.token:
            self.complete = True  # What lies there is the other process's now.
            raise StorageError(
                f"{self.run} was claimed by process {holder.get('process')} on "
                f"{holder.get('host')} meanwhile; this run was not published. Choose another "
                "output.run_id"
            )
        self._refuse_published()

    def close(self) -> None:
        """Remove the claim and, of a run that was not published, what was uploaded of it."""
        shutil.rmtree(self.staging, ignore_errors=True)
        if self._holder().get("token") != self.token:
            return
        if not self.complete:
            storage.remove_tree(self.run)
        storage.remove(self.claim)

    def _refuse_published(self) -> None:
        if storage.is_file(self.run / MANIFEST):
            self.complete = True
            raise taken(self.run)

    def _holder(self) -> JsonObject:
        try:
            found = storage.read_json(storage.fetch(self.claim))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found.get("time", 0), (int, float)) else {}
