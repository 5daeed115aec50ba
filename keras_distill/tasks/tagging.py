"""What tagging asks: the tags of words and how they are measured."""

from keras_distill.tasks.metrics import OUTSIDE
from keras_distill.tasks.metrics import PHRASE_METRICS
from keras_distill.tasks.task import Task
from keras_distill.tasks.task import check_label_names

# In the order of TFDS's class indices: no phrase, persons, organisations,
# places.
WIKIANN_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

SEQUENCE_LENGTH = 128


def tagging_task(name, label_names, sequence_length=SEQUENCE_LENGTH):
    """A task that gives every word an IOB tag.

    Args:
        name: string.
        label_names: sequence of strings by class index: `"O"`, and `"B-"` or
            `"I-"` before the type of a phrase.
        sequence_length: int. The most tokens of a sentence, special ones
            included. Defaults to `128`.

    Returns:
        `Task`, measured by `evaluate_tags`.

    Raises:
        ValueError: If `label_names` repeats a name, lacks `"O"` or has
            another form.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.tagging_task("dates", ["O", "B-DAT", "I-DAT"])
    >>> task.num_outputs, task.selection_metric
    (3, 'phrase_f1')
    """
    names = check_label_names(label_names)
    if names is None or OUTSIDE not in names or not all(map(is_iob, names)):
        raise ValueError(
            '`label_names` must name each tag once: "O", and "B-" or "I-" '
            "before the type of a phrase (files with S- and E-, or U- and L-, "
            f"are read as such). Received: {label_names!r}."
        )
    return Task(
        name=name,
        text_columns=("text",),
        label_names=names,
        metrics=PHRASE_METRICS,
        sequence_length=sequence_length,
    )


def is_iob(tag):
    """Whether a string has the form of an IOB tag: O, B-type or I-type."""
    return tag == OUTSIDE or (tag[:2] in ("B-", "I-") and len(tag) > 2)
