"""Precision, recall and F1 of phrases, per language and averaged."""

import numpy as np

from keras_distill.checks.columns import in_order
from keras_distill.data.tagged_examples import UNKNOWN_LANGUAGE
from keras_distill.tasks.metrics import OUTSIDE
from keras_distill.tasks.metrics import PHRASE_METRICS

# The class of a word that was cut off.
_NOT_PREDICTED = -1

_INSTALL = "pip install --use-pep517 'seqeval>=1.2.2,<2'"


def evaluate_tags(task, labels, predictions, languages=None):
    """Scores predicted tags by whole phrases.

    A phrase counts as found if its first word, its last word and its type
    are right. `seqeval` finds the phrases and counts them, in its default
    mode, which is that of the CoNLL evaluation script: a phrase begins at
    `B-`, at `I-` after nothing, and at `I-` of another type. The scores of a
    language are over all its phrases together; those of several languages
    are the mean over languages, each with the same weight, as XtremeDistil
    has it. A score without phrases, such as the precision where none is
    predicted, is 0.0.

    Args:
        task: `Task`, or its name, of `tagging_task`.
        labels: sequence of integer arrays, the true class index of each word
            of each sentence.
        predictions: the same, predicted. `-1`, a word that was cut off,
            counts as no phrase.
        languages: sequence of strings, one per sentence. Defaults to `None`:
            all of one.

    Returns:
        Dict of `"phrase_f1"`, `"phrase_precision"` and `"phrase_recall"` to
        float, the mean over languages, and of `"languages"` to a dict of
        language to the same three and `"phrases"`, the number of true ones.

    Raises:
        ValueError: missing labels, or numbers of sentences or words that do
            not fit.
        ImportError: if `seqeval` is not installed.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.tagging_task("names", ["O", "B-PER", "I-PER"])
    >>> scores = tasks.evaluate_tags(
    ...     task, labels=[[1, 2, 0], [1]], predictions=[[1, 2, 0], [0]]
    ... )
    >>> scores["phrase_precision"], scores["phrase_recall"]
    (1.0, 0.5)

    Reference:
        - https://github.com/chakki-works/seqeval
        - XtremeDistil, https://arxiv.org/abs/2004.05686.
    """
    # Not above: the tasks themselves are measured with this module.
    from keras_distill.tasks.loading import get_task

    task = get_task(task)
    if labels is None:
        raise ValueError(
            f"`labels` must be given to measure {task.name}; the split is "
            "unlabelled. Received: None."
        )
    if languages is None:
        languages = [UNKNOWN_LANGUAGE] * len(labels)
    # By position, whatever index a column has.
    labels, predictions, languages = (
        list(in_order(column, name))
        for name, column in (
            ("labels", labels),
            ("predictions", predictions),
            ("languages", languages),
        )
    )
    _check(labels, predictions, languages)
    _check_tags(task, labels, "labels", lowest=0)
    _check_tags(task, predictions, "predictions", lowest=_NOT_PREDICTED)
    languages = np.asarray(languages)
    per_language = {}
    # In the order of the data.
    for language in dict.fromkeys(languages.tolist()):
        rows = np.flatnonzero(languages == language)
        per_language[language] = _scores(
            [_tags(task, labels[row]) for row in rows],
            [_tags(task, predictions[row]) for row in rows],
        )
    means = {
        name: float(np.mean([scores[name] for scores in per_language.values()]))
        for name in PHRASE_METRICS
    }
    return {**means, "languages": per_language}


def _check(labels, predictions, languages):
    counts = [len(labels), len(predictions), len(languages)]
    if len(set(counts)) > 1 or not counts[0]:
        raise ValueError(
            "`labels`, `predictions` and `languages` must have the same "
            f"number of sentences, at least one. Received: {counts}."
        )
    for row, (true, predicted) in enumerate(
        zip(labels, predictions, strict=True)
    ):
        if len(true) != len(predicted):
            raise ValueError(
                "`predictions` must hold a class for each word, as "
                "`predict_tags` gives them. Received: "
                f"{len(predicted)} for the {len(true)} words of sentence {row}."
            )


def _check_tags(task, sentences, name, lowest):
    """Raises on classes that are no tag of the task."""
    for row, classes in enumerate(sentences):
        for index in classes:
            if not lowest <= index < task.num_outputs:
                raise ValueError(
                    f"`{name}` must be class indices from {lowest} to "
                    f"{task.num_outputs - 1}, the tags of {task.name}. "
                    f"Received: {index} in sentence {row}."
                )


def _tags(task, classes):
    return [
        OUTSIDE if index < 0 else task.label_names[index] for index in classes
    ]


def _scores(true, predicted):
    try:
        from seqeval.metrics import sequence_labeling
    except ImportError as error:
        raise ImportError(
            "Phrases are counted by seqeval, which is not installed; run "
            f"`{_INSTALL}`."
        ) from error
    precision, recall, f1, phrases = (
        sequence_labeling.precision_recall_fscore_support(
            true, predicted, average="micro", zero_division=0
        )
    )
    values = (float(f1), float(precision), float(recall))
    return {
        **dict(zip(PHRASE_METRICS, values, strict=True)),
        "phrases": int(phrases),
    }
