"""What a report tells about the run itself, as names and plain words."""

from keras_distill.evaluation import formatting


def run_facts(report):
    """Groups the facts of a run for a reader.

    Args:
        report: dict, as it stands in `report.json`.

    Returns:
        Dict of title to dict of name to str.
    """
    hardware = report["hardware"]
    memory = hardware["memory_gb"]
    seeds = ", ".join(map(str, report["seeds"])) or formatting.DASH
    return {
        "Run": {"seeds": seeds, "date": report["date"]},
        "Wall-clock time": {
            stage: formatting.duration(seconds)
            for stage, seconds in report["timings"].items()
        },
        "Hardware": {
            "processor": hardware["processor"],
            "cores": str(hardware["cores"]),
            "memory": formatting.DASH if memory is None else f"{memory} GB",
            "accelerator": ", ".join(hardware["accelerators"]) or "none",
            "system": hardware["system"],
        },
        "Versions": {
            package: version or formatting.DASH
            for package, version in report["versions"].items()
        },
        "Configuration": {
            name: _words(value) for name, value in report["config"].items()
        },
    }


def split_history(history):
    """Sorts a history's quantities into losses and metrics.

    Args:
        history: dict of str to list of float, as `History.history` is.

    Returns:
        Dict `{"loss": [...], "metric": [...]}` of key names in their order.
        The learning rate is neither.
    """
    keys = [key for key in history if key != "learning_rate"]
    return {
        "loss": [key for key in keys if "loss" in key],
        "metric": [key for key in keys if "loss" not in key],
    }


def _words(value):
    if value is None:
        return formatting.DASH
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_words(value[key])}" for key in value)
    return str(value)
