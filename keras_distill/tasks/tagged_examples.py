"""Sentences as words, with a tag for each word."""

import dataclasses

import numpy as np

# ISO 639's code of a language that is not known.
UNKNOWN_LANGUAGE = "und"


@dataclasses.dataclass(frozen=True, eq=False)
class TaggedExamples:
    """Words and tags of one split, and the language of each sentence.

    Args:
        words: list of lists of strings, one list per sentence.
        labels: sequence of integer sequences, the class index of each word's
            tag, or `None` when the split is unlabelled. Kept as an array of
            int32 arrays.
        languages: sequence of strings, one per sentence. Defaults to `None`,
            which calls all of them `"und"`, undetermined.
        ids: array of sentence ids. Defaults to `None`, which counts from 0.

    Raises:
        ValueError: If the numbers of sentences, or of words and labels of a
            sentence, differ.

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
        count = len(self.words)
        languages, ids, labels = self.languages, self.ids, self.labels
        if languages is None:
            languages = [UNKNOWN_LANGUAGE] * count
        if ids is None:
            ids = np.arange(count)
        if labels is not None:
            labels = ragged_array(labels)
        # A frozen dataclass sets its own normalised fields this way.
        object.__setattr__(self, "languages", np.asarray(languages, "str"))
        object.__setattr__(self, "ids", np.asarray(ids, "int64"))
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
        for row, sentence in enumerate(self.words):
            if isinstance(sentence, str):
                raise ValueError(
                    "`words` must hold one list of strings per sentence. "
                    f"Received: words[{row}]={sentence!r}; split it."
                )
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
        rows: sequence of integer sequences.

    Returns:
        Array of dtype object, of shape `(len(rows),)`.
    """
    array = np.empty(len(rows), dtype=object)
    for row, values in enumerate(rows):
        array[row] = np.asarray(values, dtype="int32")
    return array
