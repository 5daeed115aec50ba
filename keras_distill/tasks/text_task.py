"""What kinds of tasks share that have one answer for a whole text."""

import functools

import keras_hub
import numpy as np

from keras_distill.checks.columns import in_order
from keras_distill.data.examples import Examples
from keras_distill.data.kinds_of_examples import as_examples
from keras_distill.data.tokenized.predict import predict_logits
from keras_distill.data.tokenized.tokenized_examples import TokenizedExamples
from keras_distill.tasks.task import Task

# The column of a table that holds the labels.
_LABEL = "label"


class TextTask(Task):
    """A task that asks one answer for a whole text, or a pair of texts.

    Its outputs are an array `(rows, num_outputs)`. A kind says what
    `predictions` are made of them, which its metrics compare with labels.
    """

    model_class = keras_hub.models.TextClassifier
    examples_class = Examples

    def as_examples(self, rows):
        """Rows as `Examples`.

        Args:
            rows: `Examples`; a list of texts, or of pairs of texts for two
                columns; a tuple of columns; or a table, such as a pandas
                frame or a dict, with the columns of `text_columns` and, if
                it has labels, `label`.

        Returns:
            `Examples`.

        Raises:
            ValueError: another kind of rows, a missing column, or another
                number of texts.
        """
        num_texts = len(self.text_columns)
        if hasattr(rows, "columns") or isinstance(rows, dict):
            examples = self._of_table(rows)
        elif isinstance(rows, tuple):
            examples = Examples(rows)
        elif num_texts == 2 and isinstance(rows, list) and rows:
            examples = Examples(tuple(map(list, zip(*rows, strict=True))))
        else:
            examples = as_examples(rows)
        if len(examples.texts) != num_texts:
            raise ValueError(
                f"`examples` must have the texts {', '.join(self.text_columns)}"
                f" of {self.name}. Received: {len(examples.texts)} text "
                "columns."
            )
        return examples

    def _of_table(self, table):
        missing = [name for name in self.text_columns if name not in table]
        if missing:
            raise ValueError(
                "`examples` must have the columns "
                f"{', '.join(self.text_columns)} of {self.name}. Received: a "
                f"table without {missing[0]!r}; it has "
                f"{', '.join(map(str, table))}."
            )
        texts, labels = tuple(table[name] for name in self.text_columns), None
        if _LABEL in table:
            labels = self.labels_of(texts, table[_LABEL])
        return Examples(texts, labels)

    def labels_of(self, texts, labels):
        """Labels as they stand beside texts, as models take them.

        Args:
            texts: tuple of columns.
            labels: column, as people have them or as `label_parser` read them.

        Returns:
            Array, as of `encode_labels`.
        """
        del texts
        return self.encode_labels(labels)

    def unlabelled(self, examples):
        return Examples(examples.texts, ids=examples.ids)

    def texts(self, examples):
        return examples.texts

    def tokenize(
        self,
        examples,
        preprocessor,
        sequence_length=None,
        cache_dir=None,
        progress=None,
    ):
        # Unlabelled texts to learn from may be single where the task's are
        # pairs.
        is_unlabelled = (
            isinstance(examples, Examples) and examples.labels is None
        )
        tokenized = TokenizedExamples(
            examples if is_unlabelled else self.as_examples(examples),
            preprocessor,
            sequence_length,
            progress,
            cache_dir,
        )
        tokenized.task_name = self.name
        tokenized.label_names = self.label_names
        return tokenized

    @classmethod
    def served_model(
        cls, classifier, text_columns, label_names, sequence_length
    ):
        # TensorFlow alone serves.
        from keras_distill.serving.served_model import ServedTexts

        answer = functools.partial(cls.served_answer, label_names=label_names)
        return ServedTexts(
            classifier, text_columns, sequence_length, answer, cls.activation
        )

    def predict(self, model, tokenized, batch_size=64):
        return predict_logits(model, tokenized, batch_size)

    def predictions(self, outputs):
        """What metrics compare with the labels.

        Args:
            outputs: float64 array `(rows, num_outputs)`, finite.

        Returns:
            Array with a row for each example.
        """
        raise NotImplementedError

    def check_labels(self, labels):
        """Raises on encoded labels that are none of the task's."""
        raise NotImplementedError

    def measure(self, labels, outputs):
        self.check_labelled(labels)
        labels = in_order(labels, "labels")
        if _are_encoded(labels):
            labels = self.as_table(np.asarray(labels))
        else:
            labels = self.as_table(self.encode_labels(labels))
        predictions = self.predictions(self.checked_outputs(outputs))
        if labels.shape != predictions.shape or not labels.size:
            raise ValueError(
                "`labels` and `outputs` must have the same number of rows, at "
                f"least one. Received: shapes {labels.shape} and "
                f"{np.shape(outputs)}."
            )
        self.check_labels(labels)
        return {
            name: float(self.METRICS[name].function(labels, predictions))
            for name in self.metrics
        }

    def as_table(self, labels):
        """Encoded labels in the shape of `predictions`."""
        return labels

    def checked_outputs(self, outputs):
        """Outputs as a float64 array `(rows, num_outputs)`, or raises."""
        outputs = np.asarray(outputs, dtype="float64")
        if self.num_outputs == 1 and outputs.ndim == 1:
            outputs = outputs[:, np.newaxis]
        if outputs.ndim != 2 or outputs.shape[1] != self.num_outputs:
            raise ValueError(
                f"`outputs` must have the shape (rows, {self.num_outputs}) "
                f"for {self.name}. Received: shape {outputs.shape}."
            )
        if not np.isfinite(outputs).all():
            row = np.flatnonzero(~np.isfinite(outputs).all(axis=1))[0]
            raise ValueError(
                "`outputs` must be finite. Received: "
                f"{outputs[row]} in row {row}."
            )
        return outputs


def _are_encoded(labels):
    """Whether labels are numbers, and of as many dimensions as it takes."""
    try:
        return np.asarray(labels).dtype.kind in "iuf"
    except ValueError:
        # Lists of names, of different lengths.
        return False
