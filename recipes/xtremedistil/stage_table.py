"""The stages of a run as a table, read off the stages themselves."""

import math

from recipes.xtremedistil import tables

_HEADER = [
    "stage",
    "rows",
    "learns from",
    "trains",
    "optimizer",
    "at most",
    "best epoch by",
]


def to_markdown(rows):
    """Formats stages.

    Args:
        rows: list of what `row` returns.

    Returns:
        str. Markdown.
    """
    return tables.markdown(_HEADER, rows)


def row(stage):
    """What a stage does.

    Args:
        stage: `keras_distill.stages.Stage`.

    Returns:
        list of str.
    """
    described = stage.describe()
    return [
        stage.name,
        f"{len(stage.train):,}",
        _sources(stage),
        _trained(stage),
        _optimizer(described["optimizer"]),
        f"{stage.total_epochs} epochs, {stage.total_steps:,} steps",
        described["keep"],
    ]


def _sources(stage):
    if stage.teacher is None:
        return f"labels: {type(stage.loss).__name__}"
    found = stage.distillation_losses
    found = found if isinstance(found, (list, tuple)) else [found]
    return f"the teacher: {', '.join(loss.name for loss in found)}"


def _trained(stage):
    parts = ["all"]
    if stage.trainable is not None:
        parts = [getattr(part, "name", part) for part in stage.trainable]
    with stage.only_trainable():
        trained = _count(stage.student.trainable_variables)
    of_all = _count(stage.student.weights)
    return f"{', '.join(parts)}: {trained:,} of {of_all:,} weights"


def _count(variables):
    return sum(math.prod(variable.shape) for variable in variables)


def _optimizer(described):
    rate = described["config"]["learning_rate"]
    if isinstance(rate, dict):
        peak = rate["config"].get("peak")
        schedule = rate["class_name"]
        rate = schedule if peak is None else f"{schedule} with peak {peak:g}"
    else:
        rate = f"{rate:g}"
    return f"{described['class_name']}, {rate}"
