"""Sentences as words, with a tag for each word."""

import dataclasses

import numpy as np

from keras_distill.checks.columns import in_order
from keras_distill.checks.columns import is_missing
from keras_distill.checks.columns import label_column
from keras_distill.checks.columns import text_column
from keras_distill.data.examples import id_column
from keras_distill.data.examples import row_numbers

# ISO 639's code of a language that is not known.
UNKNOWN_LANGUAGE = "und"


@dataclasses.dataclass(frozen=True, eq=False)
class TaggedExamples:
    """Words and tags of one split, and the language of each sentence.

    Columns are read by position: those of a table may have any index.

    Args:
        words: column of sentences, each a list or array of strings, one for
            each word. Kept as lists of lists of `str`.
        labels: column of integer sequences, the class index of each word's
            tag, or `None` when the split is unlabelled. Kept as an array of
            int32 arrays.
        languages: column of strings, one per sentence. Defaults to `None`,
            which calls all of them `"und"`, undetermined.
        ids: column of sentence ids, ints or strings. Defaults to `None`,
            which counts from 0.

    Raises:
        ValueError: If the numbers of sentences, or of words and labels of a
            sentence, differ; a word or a label that is missing, or is none,
            with its sentence.

    Example:

    >>> import keras_distill
    >>> examples = keras_distill.tasks.TaggedExamples(
    ...     words=[["Anna", "sings"], ["Oslo"]],
    ...     labels=[[1, 0], [5]],
    ...     languages=["en", "no"],
    ... )
    >>> len(examples), examples.take(1).words
    (2, [['Anna', 'sings']])
    """

    words: list
    labels: np.ndarray | None = None
    languages: np.ndarray | None = None
    ids: np.ndarray | None = None

    def __post_init__(self):
        words = [
            _words(sentence, row)
            for row, sentence in enumerate(in_order(self.words, "words"))
        ]
        languages, labels = self.languages, self.labels
        if languages is None:
            languages = [UNKNOWN_LANGUAGE] * len(words)
        languages = np.asarray(text_column(languages, "languages"), "str")
        if labels is not None:
            labels = ragged_array(in_order(labels, "labels"))
        # A frozen dataclass sets its own normalised fields this way.
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "languages", languages)
        object.__setattr__(self, "ids", id_column(self.ids, len(words)))
        object.__setattr__(self, "labels", labels)
        self._check()

    def __len__(self):
        return len(self.words)

    def select(self, rows):
        """Returns some sentences, in the order asked for.

        Args:
            rows: integer array of row numbers.

        Returns:
            `TaggedExamples`.
        """
        rows = row_numbers(rows, len(self))
        return TaggedExamples(
            words=[self.words[row] for row in rows],
            labels=None if self.labels is None else self.labels[rows],
            languages=self.languages[rows],
            ids=self.ids[rows],
        )

    def take(self, count, per_language=False):
        """Returns the first `count` sentences, or all if there are fewer.

        Args:
            count: int. The number of sentences.
            per_language: bool. Whether `count` is for each language, rather
                than for all together. Defaults to `False`.

        Returns:
            `TaggedExamples` over these sentences, in their order.
        """
        if count < 0:
            raise ValueError(
                f"`count` must not be negative. Received: {count}."
            )
        rows = np.arange(len(self))
        if not per_language:
            return self.select(rows[:count])
        kept = [
            rows[self.languages == language][:count]
            for language in np.unique(self.languages)
        ]
        return self.select(np.sort(np.concatenate([rows[:0], *kept])))

    def _check(self):
        lengths = [len(self.words), len(self.languages), len(self.ids)]
        if self.labels is not None:
            lengths.append(len(self.labels))
        if len(set(lengths)) > 1:
            raise ValueError(
                "`words`, `languages`, `ids` and `labels` must have the same "
                f"number of sentences. Received: {lengths}."
            )
        if self.labels is None:
            return
        for row, labels in enumerate(self.labels):
            if len(labels) != len(self.words[row]):
                raise ValueError(
                    "`labels` must hold one class index for each word. "
                    f"Received: {len(labels)} for the {len(self.words[row])} "
                    f"words of sentence {row}."
                )


def ragged_array(rows):
    """An array of int32 arrays, which may be of different lengths.

    Args:
        rows: sequence of columns of class indices.

    Returns:
        Array of dtype object, of shape `(len(rows),)`.

    Raises:
        ValueError: what is no class index, with the row.
    """
    array = np.empty(len(rows), dtype=object)
    for row, values in enumerate(rows):
        array[row] = _labels(values, row)
    return array


def _words(sentence, row):
    """The words of a sentence as a list of strings."""
    if isinstance(sentence, (str, bytes)):
        raise ValueError(
            "`words` must hold one list of strings per sentence. "
            f"Received: words[{row}]={sentence!r}; split it."
        )
    if is_missing(sentence):
        raise ValueError(
            "`words` must hold one list of strings per sentence. "
            f"Received: words[{row}]={sentence!r}; leave the row out."
        )
    return text_column(sentence, f"words[{row}]")


def _labels(values, row):
    """The labels of a sentence as an int32 array."""
    # What most files and all selections are.
    if isinstance(values, np.ndarray) and values.dtype == "int32":
        labels = values
    elif is_missing(values):
        raise ValueError(
            "`labels` must hold one class index for each word. Received: "
            f"labels[{row}]={values!r}; leave the row out."
        )
    else:
        labels = label_column(values, f"labels[{row}]")
    is_class = labels >= 0
    if labels.dtype.kind == "f":
        is_class &= labels == np.floor(labels)
    if not is_class.all():
        label = labels[~is_class][0]
        hint = ""
        if label == -100:
            hint = (
                "; -100 is what Hugging Face puts at pieces of words: give "
                "one label for each word, and `TokenizedTags` finds the pieces"
            )
        raise ValueError(
            "`labels` must be class indices of tags, from 0. Received: "
            f"{label} in labels[{row}]{hint}."
        )
    return labels.astype("int32", copy=False)
