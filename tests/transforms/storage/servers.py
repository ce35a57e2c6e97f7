"""S3 and GCS on loopback, and a proxy in front of them that misbehaves as told."""

import logging
import os
import shutil
import socket
import socketserver
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest

from negmine.transforms import storage
from negmine.transforms.storage.places import local_path

BUCKET = "negmine-test"
SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCY"
_UNSET = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS")


@contextmanager
def s3_server() -> Iterator[int]:
    """The port of a moto server that has the bucket, empty; servers of a process share objects."""
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    running = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    for method, path in (("POST", "moto-api/reset"), ("PUT", BUCKET)):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", method=method)
        urllib.request.urlopen(request).close()
    try:
        yield port
    finally:
        running.stop()


@contextmanager
def gs_server() -> Iterator[int]:
    """The port of a GCS emulator that has the bucket."""
    server = pytest.importorskip("gcp_storage_emulator.server", reason="no gcp-storage-emulator")
    logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
    running = server.create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    running.start()
    # By itself it answers one connection at a time, and a client that reads an object holds one.
    httpd = running._api._httpd
    httpd.__class__ = type("Threaded", (socketserver.ThreadingMixIn, type(httpd)), {})
    httpd.daemon_threads = True
    try:
        yield httpd.server_port
    finally:
        running.stop()


SERVERS = {"s3": s3_server, "gs": gs_server}


def environment(scheme: str, port: int, cache: Path, seconds: float = 5) -> dict[str, str]:
    """The variables by which a process finds a store, and the folder of its mirror."""
    return {
        "NEGMINE_CACHE": str(cache),
        "NEGMINE_STORE_TIMEOUT": str(seconds),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **{
            "s3": {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}"},
            "gs": {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"},
        }[scheme],
    }


@contextmanager
def using(variables: dict[str, str]) -> Iterator[None]:
    """These variables in this process, and none that would lead elsewhere."""
    with mock.patch.dict(os.environ, variables):
        for name in _UNSET:
            os.environ.pop(name, None)
        yield


Answer = Callable[[bytes], str]


@dataclass
class Proxy:
    """Passes connections on to a port, one request each.

    `answer` sees the head of each request and says what becomes of it: `pass`, `fail` (500),
    `throttle` (503), `drop`, `cut` (half of the answer), `hang` or `forbid` (403).
    """

    port: int
    answer: Answer = lambda _: "pass"
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.own = self._socket.getsockname()[1]
        self._closed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        self._socket.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        with client:
            request = _request(client)
            if not request:
                return
            head = request.partition(b"\r\n\r\n")[0]
            self.seen.append(head.partition(b"\r\n")[0].decode())
            kind = self.answer(head)
            if kind in _REFUSALS:
                status, code = _REFUSALS[kind]
                body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
                client.sendall(
                    f"HTTP/1.1 {status} x\r\nContent-Type: application/xml\r\nConnection: close"
                    f"\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                    + (b"" if head.startswith(b"HEAD") else body)
                )
            elif kind == "hang":
                self._closed.wait(60)
            elif kind != "drop":
                answer = _forward(self.port, request)
                client.sendall(answer[: len(answer) // 2] if kind == "cut" else answer)


_REFUSALS = {
    "fail": (500, "InternalError"),
    "throttle": (503, "SlowDown"),
    "forbid": (403, "AccessDenied"),
}


def _request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next((int(h[15:]) for h in lines if h.lower().startswith(b"content-length:")), 0)
    if any(h.lower().startswith(b"expect:") for h in lines):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        lines = [h for h in lines if not h.lower().startswith(b"expect:")]
    if any(h.lower() == b"transfer-encoding: chunked" for h in lines):
        body = _unchunked(client, body)
        lines = [h for h in lines if not h.lower().startswith(b"transfer-encoding:")]
        lines.append(f"Content-Length: {len(body)}".encode())
    while len(body) < length:
        body += client.recv(65536)
    lines = [h for h in lines if not h.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body


def _unchunked(client: socket.socket, data: bytes) -> bytes:
    body = b""
    while True:
        while b"\r\n" not in data:
            data += client.recv(65536)
        size, _, data = data.partition(b"\r\n")
        count = int(size.partition(b";")[0], 16)
        while len(data) < count + 2:
            data += client.recv(65536)
        body, data = body + data[:count], data[count + 2 :]
        if not count:
            return body


def _forward(port: int, request: bytes) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=600) as server:
        server.sendall(request)
        while piece := server.recv(1 << 20):
            answer += piece
    return answer


def at_times(kind: str, *places: int, only: str = "") -> Answer:
    """`kind` for the requests at these places among those that hold `only`, else `pass`."""
    lock, count = threading.Lock(), [0]

    def answer(head: bytes) -> str:
        if only.encode() not in head:
            return "pass"
        with lock:
            count[0] += 1
            return kind if count[0] in places else "pass"

    return answer


def wait_until(true: Callable[[], bool], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass(frozen=True)
class Store:
    """A running store: its scheme and port, and the folder of this process's mirror."""

    scheme: str
    port: int
    cache: Path

    @property
    def url(self) -> str:
        return f"{self.scheme}://{BUCKET}"

    def elsewhere(self, cache: Path, port: int | None = None) -> dict[str, str]:
        """The variables of another machine, or of one that comes by another port."""
        return environment(self.scheme, self.port if port is None else port, cache)

    def forget_mirror(self) -> None:
        """What this machine would be without anything fetched."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def write(self, key: str, data: bytes) -> Path:
        """Put an object there; returns its mirror path."""
        place = local_path(f"{self.url}/{key}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        storage.put(place)
        return place

    def write_tree(self, folder: Path, key: str) -> str:
        """Put what is below a folder there; returns its URL."""
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.write(f"{key}/{file.relative_to(folder).as_posix()}", file.read_bytes())
        return f"{self.url}/{key}"

    def keys(self, key: str = "") -> list[str]:
        """Keys of all objects below one, the rest of them."""
        root = local_path(f"{self.url}/{key}".rstrip("/"))
        return [file.relative_to(root).as_posix() for file in storage.files(root)]


@contextmanager
def running(scheme: str, cache: Path) -> Iterator[Store]:
    """A store, found by this process."""
    with SERVERS[scheme]() as port, using(environment(scheme, port, cache)):
        yield Store(scheme, port, cache)
