"""Two commands at once, each stopped at a chosen step of its work on files.

A step is what Python tells its audit hooks: a file of the folder is opened, renamed or removed, a
folder listed, or a lock asked for. So the order in which two processes work is chosen, not hoped
for, and no clock has part in it. The commands run in forks of a process that has imported all.
"""

import fcntl
import json
import os
import select
import shutil
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FILES = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.listdir", "os.scandir")
_STEPS = (*_FILES, "shutil.rmtree", "fcntl.flock")
_STOPPED, _WAITING, _GO = b"s", b"w", b"g"
SECONDS = 300.0
"""A command that neither ends nor says anything for so long hangs."""


@dataclass(frozen=True)
class Ended:
    """How a command ended; `waited` for a lock that the other one held."""

    code: int
    err: str
    steps: int
    waited: bool


class _Hook:
    """Counts steps in a child, and stops it at one of them."""

    def __init__(self, root: Path, stop: int | None, said: int, heard: int) -> None:
        self.root = str(root)
        self.stop, self.said, self.heard = stop, said, heard
        self.steps = 0
        self.gate = threading.Lock()
        self.inside = threading.local()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _STEPS or getattr(self.inside, "now", False):
            return
        if event != "fcntl.flock" and not str(arguments[0]).startswith(self.root):
            return
        self.inside.now = True
        try:
            # Other threads wait with the one that is stopped.
            with self.gate:
                self.steps += 1
                if self.steps == self.stop:
                    os.write(self.said, _STOPPED)
                    os.read(self.heard, 1)
            if event == "fcntl.flock":
                self._ask(*arguments)
        finally:
            self.inside.now = False

    def _ask(self, lock: int, how: int) -> None:
        """Say so where a lock is another's; one that is had here is had."""
        if how & (fcntl.LOCK_NB | fcntl.LOCK_UN):
            return
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.write(self.said, _WAITING)


@dataclass
class Child:
    """A command in a fork of this process, which says where it stands."""

    pid: int
    hears: int
    says: int
    folder: Path
    waited: bool = False
    ended: bool = field(default=False)

    def run(self) -> None:
        """Until it stops at its step, waits for a lock, or ends."""
        if not self.ended:
            ready, _, _ = select.select([self.says], [], [], SECONDS)
            if not ready:
                raise TimeoutError(f"{self.folder} says nothing")
            said = os.read(self.says, 1)
            self.waited = self.waited or said == _WAITING
            self.ended = not said

    def go(self) -> None:
        """Let it go on from its step."""
        with suppress(BrokenPipeError):
            os.write(self.hears, _GO)

    def result(self) -> Ended:
        """Once it has ended."""
        while not self.ended:
            self.run()
        os.waitpid(self.pid, 0)
        for descriptor in (self.hears, self.says):
            os.close(descriptor)
        found = json.loads((self.folder / "ended.json").read_text())
        err = (self.folder / "err").read_text()
        return Ended(found["code"], err, found["steps"], self.waited)


def _main(words: Sequence[str]) -> int:
    from negmine.jobs.__main__ import main

    sys.argv = ["negmine", *words]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def start(
    words: Sequence[str], root: Path, folder: Path, stop: int | None = None, locks: bool = True
) -> Child:
    """Fork a command that stops at step number `stop` of its work below `root`.

    What it writes and how it ends is kept in `folder`. Without `locks` every lock is had at once.
    """
    folder.mkdir(parents=True)
    heard, hears = os.pipe()
    says, said = os.pipe()
    pid = os.fork()
    if pid:
        os.close(heard)
        os.close(said)
        return Child(pid, hears, says, folder)
    code = 1
    os.close(hears)
    os.close(says)
    for name, descriptor in (("out", 1), ("err", 2)):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), descriptor)
    hook = _Hook(root, stop, said, heard)
    try:
        if not locks:
            fcntl.flock = lambda *_: None  # type: ignore[assignment]
        sys.addaudithook(hook)
        code = _main(words)
    except BaseException:
        traceback.print_exc()
    finally:
        hook.inside.now = True
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        text = json.dumps({"code": code, "steps": hook.steps})
        (folder / "ended.json").write_text(text)
        os._exit(0)


def alone(words: Sequence[str], root: Path, folder: Path) -> Ended:
    """A command that nobody disturbs."""
    child = start(words, root, folder)
    return child.result()


def interleaved(
    first: Sequence[str],
    second: Sequence[str],
    root: Path,
    folder: Path,
    stops: tuple[int, int | None],
    locks: bool = True,
) -> tuple[Ended, Ended]:
    """The first to its step, the second to its own, the first to its end, then the second.

    Where one waits for a lock the other goes on.
    """
    one = start(first, root, folder / "first", stops[0], locks)
    one.run()
    two = start(second, root, folder / "second", stops[1], locks)
    two.run()
    one.go()
    one.run()
    two.go()
    return one.result(), two.result()


def in_child(work: Callable[[], Any], folder: Path) -> Any:
    """What a function gives as JSON values, called in a fork: threads that it starts end there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pid = os.fork()
    if not pid:
        try:
            (folder / "value").write_text(json.dumps(work()))
        except BaseException:
            (folder / "err").write_text(traceback.format_exc())
        os._exit(0)
    os.waitpid(pid, 0)
    if not (folder / "value").exists():
        raise RuntimeError((folder / "err").read_text())
    return json.loads((folder / "value").read_text())
