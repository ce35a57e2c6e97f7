"""Environments of the consumers whose packages do not go beside ours, one folder each.

    python benchmarks/consumers/environments.py [NAME ...]

Each takes torch and all else that it can from the environment that runs this script, by a .pth
file, so that none is larger than what the trainer itself adds.
"""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2] / "build" / "consumers"

_HTTP = ["httpx", "httpcore", "h11", "anyio"]
"""What hubs before release 2 ask for and ours no longer brings."""

_BEFORE = ["transformers==5.3.0", "tokenizers==0.22.2", "huggingface_hub<2", *_HTTP]
"""The transformers that trainers expect which do not yet run with the newest."""

PACKAGES: dict[str, list[str]] = {
    "flagembedding": [
        "FlagEmbedding==1.4.2",
        *_BEFORE,
        "peft==0.20.0",
        "sentencepiece",
        "protobuf",
        "ir_datasets",
        "inscriptis",
        "trec-car-tools",
    ],
    "pylate": [
        "pylate==1.6.0",
        "sentence-transformers==5.3.0",
        *_BEFORE,
        "ujson==5.12.0",
        "fastkmeans==0.5.0",
        "fast-plaid",
        "ninja==1.11.1.4",
    ],
    "tevatron": [
        "tevatron==0.1.0",
        "transformers==4.57.6",
        "tokenizers==0.22.2",
        "huggingface_hub<1.0",
        "datasets==4.0.0",
        *_HTTP,
    ],
    "ms-swift": [
        "ms-swift==4.6.0",
        "transformers==5.19.0",
        "datasets==4.8.4",
        "modelscope",
        "modelscope_hub",
        *_HTTP,
        "aiohttp",
        "aiohappyeyeballs",
        "aiosignal",
        "frozenlist",
        "multidict",
        "yarl",
        "propcache",
        "attrs",
        "peft==0.20.0",
        "trl<1.0",
        "addict",
        "dacite",
        "json-repair",
        "einops",
        "simplejson",
        "sortedcontainers",
        "binpacking",
        "tiktoken",
        "sentencepiece",
        "rouge",
        "nltk",
        "attrdict",
        "oss2",
        "matplotlib",
        "contourpy",
        "cycler",
        "fonttools",
        "kiwisolver",
        "pyparsing",
        "tensorboard",
        "openai",
        "distro",
        "jiter",
        "fastapi",
        "starlette",
        "uvicorn",
    ],
    "lightning-ir": [
        "lightning-ir==0.0.6",
        "lightning",
        "pytorch-lightning",
        "lightning-utilities",
        "torchmetrics",
        "jsonargparse",
        "typeshed-client",
        "docstring-parser",
        "importlib-resources",
        "ir_datasets",
        "ir-measures",
        "inscriptis",
        "trec-car-tools",
        "pytrec-eval-terrier",
        "lxml",
        "lz4",
        "warc3-wet",
        "warc3-wet-clueweb09",
        "zlib-state",
        "unlzw3",
        "ijson",
        "sentencepiece",
        "protobuf",
    ],
    "colbert": [
        "colbert-ai==0.2.22",
        "bitarray",
        "GitPython",
        "gitdb",
        "smmap",
        "python-dotenv",
        "ninja",
        "ujson",
    ],
    "automodel": ["nemo-automodel==0.7.0", "torchdata"],
}
"""What each adds; without its dependencies, which are named here or lie in our environment."""


def python_of(name: str) -> Path:
    """The interpreter of a consumer's environment."""
    return ROOT / name / "bin" / "python"


def make(name: str) -> str:
    """Make an environment; returns what went wrong, or an empty text."""
    folder = ROOT / name
    venv.create(folder, with_pip=True, clear=True)
    ours = sysconfig.get_paths()["purelib"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = folder / "lib" / version / "site-packages" / "negmine-base.pth"
    beside.write_text(ours + "\n")
    failed = []
    for package in PACKAGES[name]:
        command = [str(python_of(name)), "-m", "pip", "install", "-q", "--no-deps", package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            failed.append(f"{package}: {done.stderr.strip().splitlines()[-1]}")
    return "; ".join(failed)


def main() -> None:
    """Make those that are named, or all."""
    for name in sys.argv[1:] or PACKAGES:
        print(name, make(name) or "made", flush=True)


if __name__ == "__main__":
    main()
