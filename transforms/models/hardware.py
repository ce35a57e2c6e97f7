"""What the devices of this machine can compute in; imports no deep-learning code but for a GPU."""

from pathlib import Path
from types import ModuleType


def has_cuda(device: str) -> bool:
    """Whether a model on `device` runs on CUDA here; without its driver torch is not imported."""
    return _cuda(device) is not None


def _cuda(device: str) -> ModuleType | None:
    if not device.startswith(("cuda", "auto")) or not Path("/proc/driver/nvidia/version").exists():
        return None
    from torch import cuda

    return cuda if cuda.is_available() else None


def hardware_precision(device: str) -> str:
    """`bf16` where the device has fast bfloat16 arithmetic, else `fp32`."""
    cuda = _cuda(device)
    if cuda is not None:
        return "bf16" if cuda.is_bf16_supported() else "fp32"
    if device in {"auto", "cpu"}:
        try:
            flags = Path("/proc/cpuinfo").read_text()
        except OSError:
            return "fp32"
        if "avx512_bf16" in flags or "amx_bf16" in flags:
            return "bf16"
    return "fp32"
