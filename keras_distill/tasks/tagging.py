"""Tagging: each word of a sentence has an IOB tag, phrases are counted."""

import functools

import keras
import numpy as np

from keras_distill.checks.columns import in_order
from keras_distill.data.examples import Examples
from keras_distill.data.kinds_of_examples import as_tagged_examples
from keras_distill.data.readers.tag_schemes import OUTSIDE
from keras_distill.data.tagged_examples import UNKNOWN_LANGUAGE
from keras_distill.data.tagged_examples import TaggedExamples
from keras_distill.data.tagged_examples import ragged_array
from keras_distill.data.tokenized.predict import predict_tags
from keras_distill.data.tokenized.predict import predict_word_logits
from keras_distill.data.tokenized.tokenized_tags import TokenizedTags
from keras_distill.models import TokenClassifier
from keras_distill.tasks.kinds import register_kind
from keras_distill.tasks.metrics import Metric
from keras_distill.tasks.task import Task
from keras_distill.tasks.task import check_label_names

PHRASE_METRICS = ("phrase_f1", "phrase_precision", "phrase_recall")

# In the order of TFDS's class indices: no phrase, persons, organisations,
# places.
WIKIANN_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

SEQUENCE_LENGTH = 128

# The class of a word that was cut off.
_NOT_PREDICTED = -1

_INSTALL = "pip install --use-pep517 'seqeval>=1.2.2,<2'"


@register_kind
class TaggingTask(Task):
    """A task that gives every word an IOB tag.

    Its models give a logit for each class at each token; a word is read at
    its first piece. Arguments are those of `keras_distill.tasks.Task`;
    `label_names` are `"O"`, and `"B-"` or `"I-"` before the type of a phrase,
    and outputs are a class for each word, `-1` for words that were cut off.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.tagging_task("dates", ["O", "B-DAT", "I-DAT"])
    >>> task.num_outputs, task.selection_metric
    (3, 'phrase_f1')
    """

    kind = "tagging"
    model_class = TokenClassifier
    examples_class = TaggedExamples
    problem_type = "single_label_classification"
    most_texts = 1
    answers_texts = False
    activation = "softmax"
    agreement_note = (
        "Share of the words of {examples} that the model gives the same tag "
        "as the {reference}, right or wrong."
    )
    DEFAULT_METRICS = PHRASE_METRICS
    METRICS = {
        "phrase_f1": Metric("tags of words", "phrase F1"),
        "phrase_precision": Metric("tags of words", "phrase precision"),
        "phrase_recall": Metric("tags of words", "phrase recall"),
    }

    @classmethod
    def check_label_names(cls, label_names):
        names = check_label_names(label_names)
        if names is None or OUTSIDE not in names or not all(map(is_iob, names)):
            raise ValueError(
                '`label_names` must name each tag once: "O", and "B-" or "I-" '
                "before the type of a phrase (files with S- and E-, or U- and "
                f"L-, are read as such). Received: {label_names!r}."
            )
        return names

    def encode_labels(self, labels):
        """Tags as people have them, as models take them.

        Args:
            labels: column of sentences, each with a tag or a class index for
                each word.

        Returns:
            Array of int32 arrays of class indices.

        Raises:
            ValueError: a tag that is none of the task's, with its sentence.

        Example:

        >>> from keras_distill import tasks
        >>> task = tasks.tagging_task("names", ["O", "B-PER", "I-PER"])
        >>> task.encode_labels([["B-PER", "O"]])[0]
        array([1, 0], dtype=int32)
        """
        rows = in_order(labels, "labels")
        labels = ragged_array(
            [self._indices(tags, row) for row, tags in enumerate(rows)]
        )
        _check_tags(self, labels, "labels", lowest=0)
        return labels

    def _indices(self, tags, row):
        """Class indices of a sentence whose tags are names."""
        if not any(isinstance(tag, (str, bytes)) for tag in tags):
            return tags
        known = {name: index for index, name in enumerate(self.label_names)}
        names = [
            tag.decode("utf-8", "replace") if isinstance(tag, bytes) else tag
            for tag in tags
        ]
        for name in names:
            if name not in known:
                raise ValueError(
                    f"`labels` must be tags of {self.name}: "
                    f"{', '.join(known)}. Received: {name!r}"
                    + ("." if row is None else f" in sentence {row}.")
                )
        return [known[name] for name in names]

    def as_examples(self, rows):
        """Words with tags, or plain sentences, which are split at spaces."""
        if isinstance(rows, (list, tuple)) and any(
            isinstance(row, (str, bytes)) for row in rows
        ):
            return self.unlabelled(Examples((list(rows),)))
        return as_tagged_examples(rows)

    def unlabelled(self, examples):
        return TaggedExamples([text.split() for text in examples.texts[0]])

    def texts(self, examples):
        return ([" ".join(words) for words in examples.words],)

    def tokenize(
        self,
        examples,
        preprocessor,
        sequence_length=None,
        cache_dir=None,
        progress=None,
    ):
        tokenized = TokenizedTags(
            self.as_examples(examples), preprocessor, sequence_length, progress
        )
        tokenized.task_name = self.name
        tokenized.label_names = self.label_names
        return tokenized

    def label_parser(self, separator=None):
        """From a cell of a file, such as `O B-PER`, to class indices."""
        return lambda value: self._indices(value.split(separator), None)

    def label_loss(self):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @classmethod
    def served_model(
        cls, classifier, text_columns, label_names, sequence_length
    ):
        # TensorFlow alone serves.
        from keras_distill.serving.served_model import ServedWords

        answer = functools.partial(cls.served_answer, label_names=label_names)
        return ServedWords(
            classifier, text_columns, sequence_length, answer, cls.activation
        )

    @classmethod
    def served_answer(cls, outputs, probabilities, label_names):
        import tensorflow as tf

        tag_ids = tf.argmax(outputs, axis=-1, output_type=tf.int32)
        return {
            "tags": tf.gather(tf.constant(label_names), tag_ids),
            "tag_ids": tag_ids,
            "probabilities": probabilities,
        }

    def predict(self, model, tokenized, batch_size=64):
        return predict_tags(model, tokenized, batch_size)

    def predict_logits(self, model, tokenized, batch_size=64):
        return predict_word_logits(model, tokenized, batch_size)

    def read_off(self, logits):
        found = []
        for of_words in logits:
            is_cut_off = np.isnan(of_words).any(axis=-1)
            tags = np.where(is_cut_off, _NOT_PREDICTED, of_words.argmax(-1))
            found.append(tags.astype("int32"))
        return found

    def measure(self, labels, outputs):
        scores = evaluate_tags(self, labels, outputs)
        return {name: scores[name] for name in self.metrics}

    def score(self, examples, outputs):
        scores = evaluate_tags(
            self, examples.labels, outputs, examples.languages
        )
        return {
            **{name: scores[name] for name in self.metrics},
            "languages": scores["languages"],
        }

    def chance(self, labels):
        """0: without a look at the words no phrase is found."""
        self.check_labelled(labels)
        outside = self.label_names.index(OUTSIDE)
        found = [np.full(len(tags), outside) for tags in labels]
        return self.measure(labels, found)[self.selection_metric]

    def agreement(self, reference_outputs, outputs):
        """The share of words with the same tag."""
        return float(
            np.mean(
                np.concatenate(reference_outputs) == np.concatenate(outputs)
            )
        )


def tagging_task(name, label_names, sequence_length=SEQUENCE_LENGTH):
    """A task that gives every word an IOB tag.

    Args:
        name: string.
        label_names: sequence of strings by class index: `"O"`, and `"B-"` or
            `"I-"` before the type of a phrase.
        sequence_length: int. The most tokens of a sentence, special ones
            included. Defaults to `128`.

    Returns:
        `TaggingTask`.

    Raises:
        ValueError: If `label_names` repeats a name, lacks `"O"` or has
            another form.

    Example:

    >>> from keras_distill import tasks
    >>> task = tasks.tagging_task("dates", ["O", "B-DAT", "I-DAT"])
    >>> task.num_outputs, task.selection_metric
    (3, 'phrase_f1')
    """
    return TaggingTask(
        name=name,
        text_columns=("text",),
        label_names=label_names,
        metrics=PHRASE_METRICS,
        sequence_length=sequence_length,
    )


def is_iob(tag):
    """Whether a string has the form of an IOB tag: O, B-type or I-type."""
    return tag == OUTSIDE or (tag[:2] in ("B-", "I-") and len(tag) > 2)


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
    task.check_labelled(labels)
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
        if np.ndim(true) != 1:
            raise ValueError(
                "`labels` must hold one class index for each word of a "
                f"sentence. Received: {true!r} for sentence {row}."
            )
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
