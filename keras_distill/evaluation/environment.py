"""Where a run took place: processor, memory, accelerator, versions."""

import os
import platform
from importlib import metadata

import keras

from keras_distill.evaluation import figures

_OF_BACKEND = {
    "tensorflow": ("tensorflow", "tensorflow_text"),
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
}
PACKAGES = (
    "keras_distill",
    "keras",
    "keras_hub",
    *_OF_BACKEND.get(keras.backend.backend(), ()),
    "numpy",
)


def hardware():
    """Describes the machine.

    Returns:
        Dict: `"processor"` (str), `"cores"` (int, those this process may
        use), `"memory_gb"` (float, GB of 2^30 bytes, or `None` where the
        system does not tell), `"accelerators"` (list of str), `"system"`
        (str).
    """
    return {
        "processor": _processor(),
        "cores": _cores(),
        "memory_gb": _memory_gb(),
        "accelerators": _accelerators(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions():
    """Lists the versions that numbers depend on.

    Returns:
        Dict of package name to version, or to `None` when not installed as a
        package; `"python"` first.
    """
    return {
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
    }


def _processor():
    # `platform.processor()` is empty or just the architecture on Linux.
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _cores():
    # Fewer than the machine's when a container or taskset says so.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory_gb():
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_PAGE_SIZE" not in names:
        return None
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return round(total / 2**30, 1)


def _accelerators():
    """The names of the devices that the backend has next to the processor."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return [
            tf.config.experimental.get_device_details(device).get(
                "device_name", device.name
            )
            for device in tf.config.list_physical_devices("GPU")
        ]
    if backend == "jax":
        import jax

        return [d.device_kind for d in jax.devices() if d.platform != "cpu"]
    if backend == "torch":
        import torch

        count = torch.cuda.device_count()
        return [torch.cuda.get_device_name(i) for i in range(count)]
    return []


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def run_facts(report):
    """Groups the facts of a run for a reader.

    Args:
        report: dict, as it stands in `report.json`.

    Returns:
        Dict of title to dict of name to str.
    """
    hardware = report["hardware"]
    memory = hardware["memory_gb"]
    seeds = ", ".join(map(str, report["seeds"])) or figures.DASH
    return {
        "Run": {"seeds": seeds, "date": report["date"]},
        "Wall-clock time": {
            stage: figures.duration(seconds)
            for stage, seconds in report["timings"].items()
        },
        "Hardware": {
            "processor": hardware["processor"],
            "cores": str(hardware["cores"]),
            "memory": figures.DASH if memory is None else f"{memory} GB",
            "accelerator": ", ".join(hardware["accelerators"]) or "none",
            "system": hardware["system"],
        },
        "Versions": {
            package: version or figures.DASH
            for package, version in report["versions"].items()
        },
        "Configuration": {
            name: _words(value) for name, value in report["config"].items()
        },
    }


def _words(value):
    if value is None:
        return figures.DASH
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_words(value[key])}" for key in value)
    return str(value)
