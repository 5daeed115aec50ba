"""What a metric is, and the check of those that a task asks for."""

import dataclasses
from collections.abc import Callable

from keras_distill.checks.arguments import did_you_mean
from keras_distill.tasks.kinds import all_metrics

# What metrics are called elsewhere, and no spelling is near to.
_OTHER_NAMES = {
    "acc": "accuracy",
    "f1_macro": "macro_f1",
    "f1-macro": "macro_f1",
    "f1_micro": "micro_f1",
    "f1-micro": "micro_f1",
    "mcc": "matthews",
    "pearsonr": "pearson",
    "spearmanr": "spearman",
    "seqeval": "phrase_f1",
}


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric that a kind of task has.

    Attributes:
        labels: string. The labels that it fits, in words.
        title: string. How it is called in a sentence and in a table.
        function: function of labels and predictions that returns a number.
            Defaults to `None`: its kind counts it together with others.
        num_classes: int. The one number of classes that it fits. Defaults to
            `None`: any.
    """

    labels: str
    title: str
    function: Callable | None = None
    num_classes: int | None = None


def check_metrics(names, fitting, labels):
    """Raises on metrics that cannot measure a task.

    Args:
        names: tuple of strings. Those that a task is to have.
        fitting: list of strings. Those that fit it.
        labels: string. The task's labels in words.

    Raises:
        ValueError: no metric, one that is of no kind of task, one that does
            not fit, or one given twice.
    """
    if isinstance(names, str) or not names:
        raise ValueError(
            "`metrics` must be a tuple that names at least the metric that "
            f"selects models, such as ('{fitting[0]}',). Received: {names!r}."
        )
    known = all_metrics()
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise ValueError(
                f"`metrics` must be of {', '.join(fitting)}. Received: "
                f"{name!r}{_did_you_mean(name, known)}."
            )
        if name not in fitting:
            raise ValueError(
                f"`metrics` must fit the labels. Received: {name!r}, which is "
                f"for {known[name].labels}, for {labels}. "
                f"Those that fit: {', '.join(fitting)}."
            )
    if len(set(names)) < len(names):
        raise ValueError(
            f"`metrics` must name each metric once. Received: {names!r}."
        )


def _did_you_mean(name, known):
    """A hint at the name that was meant, if one is near or is another's."""
    if isinstance(name, str) and name in _OTHER_NAMES:
        return f" (did you mean {_OTHER_NAMES[name]!r}?)"
    return did_you_mean(name, known)
