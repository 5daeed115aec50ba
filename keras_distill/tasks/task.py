"""What a task asks: its texts, its labels and how it is measured."""

import dataclasses

from keras_distill.tasks.metrics import check_metrics


@dataclasses.dataclass(frozen=True)
class Task:
    """A classification or regression task over one or two texts.

    Args:
        name: string. The name by which `keras_distill.tasks.load` knows it.
        text_columns: tuple of one or two strings. The names of the texts.
        label_names: tuple of strings in the order of the class indices, or
            `None` for regression.
        metrics: tuple of strings. The official metrics; the first one
            selects models. `"accuracy"`, `"macro_f1"` and `"matthews"` fit
            classes, `"f1"` (of class 1) two classes, `"pearson"`,
            `"spearman"` and `"pearson_spearman"` a regression.
        sequence_length: int. The most tokens that an example may have,
            special tokens included: 64 for one text and 128 for two in the
            papers.

    Example:

    >>> import keras_distill
    >>> task = keras_distill.tasks.get_task("rte")
    >>> task.label_names
    ('entailment', 'not_entailment')
    >>> task.num_outputs
    2
    """

    name: str
    text_columns: tuple
    label_names: tuple | None
    metrics: tuple
    sequence_length: int

    def __post_init__(self):
        if len(self.text_columns) not in (1, 2):
            raise ValueError(
                "`text_columns` must name one or two texts. "
                f"Received: {self.text_columns!r}."
            )
        check_metrics(self.metrics, self.label_names)

    @property
    def is_regression(self):
        """Whether the label is a number rather than a class."""
        return self.label_names is None

    @property
    def num_outputs(self):
        """The width of a model's output: the number of classes, or 1."""
        return 1 if self.is_regression else len(self.label_names)

    @property
    def selection_metric(self):
        """The metric by which models are compared."""
        return self.metrics[0]

    def selected_by(self, metric):
        """The same task, whose models are compared by another metric.

        Args:
            metric: string. A metric that fits the labels; it is measured as
                well if it was not.

        Returns:
            `Task`.

        Raises:
            ValueError: an unknown metric, or one that does not fit.

        Example:

        >>> import keras_distill
        >>> task = keras_distill.tasks.get_task("mnli")
        >>> task.selected_by("macro_f1").metrics
        ('macro_f1', 'accuracy')
        """
        others = tuple(name for name in self.metrics if name != metric)
        return dataclasses.replace(self, metrics=(metric, *others))
