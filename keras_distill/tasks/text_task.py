"""What kinds of tasks share that have one answer for a whole text."""

import keras_hub
import numpy as np

from keras_distill.checks.columns import in_order
from keras_distill.data.examples import Examples
from keras_distill.data.kinds_of_examples import as_examples
from keras_distill.data.tokenized.predict import predict_logits
from keras_distill.data.tokenized.tokenized_examples import TokenizedExamples
from keras_distill.tasks.task import Task


class TextTask(Task):
    """A task that asks one answer for a whole text, or a pair of texts.

    Its outputs are an array `(rows, num_outputs)`. A kind says what
    `predictions` are made of them, which its metrics compare with labels.
    """

    model_class = keras_hub.models.TextClassifier
    examples_class = Examples

    def as_examples(self, rows):
        return as_examples(rows)

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
        return TokenizedExamples(
            examples, preprocessor, sequence_length, progress, cache_dir
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
        labels = np.asarray(in_order(labels, "labels"))
        if labels.dtype.kind not in "iuf":
            labels = self.encode_labels(labels)
        predictions = self.predictions(self._checked_outputs(outputs))
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

    def _checked_outputs(self, outputs):
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
