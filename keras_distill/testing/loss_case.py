"""A loss and the inputs it is tried on."""

import dataclasses

import numpy as np
from keras import ops

from keras_distill.testing.gradient import gradient

_SEED = 0
_GARBAGE = 1e3


@dataclasses.dataclass(frozen=True)
class LossCase:
    """A loss and the inputs it is tried on.

    Features are a float32 array `(B, ...)`, or a dict of such arrays.

    Attributes:
        loss: `keras_distill.losses.DistillationLoss`.
        teacher: The teacher's features.
        student: The student's features.
        mask: Optional float32 array `(B, L)`.
        reference: Callable; see `check_distillation_loss`.
        token_axes: Tuple of int, the axes of the features that count tokens,
            or a dict of such tuples.
        tolerance: float.
        y: Optional labels `(B, ...)`.
    """

    loss: object
    teacher: np.ndarray | dict
    student: np.ndarray | dict
    mask: np.ndarray | None
    reference: object
    token_axes: tuple | dict
    tolerance: float
    y: np.ndarray | None = None

    @property
    def num_examples(self):
        """The number of examples."""
        student = self.student
        if isinstance(student, dict):
            student = next(iter(student.values()))
        return len(student)

    def per_example(self, teacher, student, mask, rows=slice(None)):
        """What the loss returns, a tensor; `rows` are those of the labels."""
        if mask is not None:
            mask = ops.convert_to_tensor(mask, "float32")
        labels = {}
        if self.loss.reads_labels:
            y = ops.convert_to_tensor(self.y[rows])
            labels = {"y": y, "sample_weight": None}
        teacher, student = (
            each(ops.convert_to_tensor, features)
            for features in (teacher, student)
        )
        return self.loss.per_example(teacher, student, mask, **labels)

    def values(self, *features_and_rows):
        """What the loss returns, as an array."""
        return ops.convert_to_numpy(self.per_example(*features_and_rows))

    def gradient(self, teacher, student, mask):
        """Its gradient with respect to each of the student's features."""
        if not isinstance(student, dict):
            return {
                None: gradient(
                    lambda x: self.per_example(teacher, x, mask), student
                )
            }
        return {
            name: gradient(
                lambda x, name=name: self.per_example(
                    teacher, {**student, name: x}, mask
                ),
                value,
            )
            for name, value in student.items()
        }

    def expected(self, teacher, student):
        """What the reference returns for the case's mask."""
        arguments = [
            None if part is None else each(lambda x: x.astype("float64"), part)
            for part in (teacher, student, self.mask)
        ]
        if self.loss.reads_labels:
            arguments.append(self.y)
        return np.asarray(self.reference(*arguments))

    def axes(self, name):
        """The axes of a feature that count tokens."""
        if isinstance(self.token_axes, dict):
            return self.token_axes.get(name, ())
        return self.token_axes

    def is_real(self, mask, num_axes, name):
        """Where a feature is real, as an array that broadcasts to it."""
        is_real = np.ones((1,) * num_axes, bool)
        for axis in self.axes(name):
            shape = [1] * num_axes
            shape[0], shape[axis] = mask.shape
            is_real = is_real & (mask > 0).reshape(shape)
        return is_real

    def with_garbage(self, features, num_more=0):
        """Features with more padding, and with garbage in all padding."""
        if isinstance(features, dict):
            return {
                name: self._with_garbage(feature, num_more, name)
                for name, feature in features.items()
            }
        return self._with_garbage(features, num_more, None)

    def _with_garbage(self, feature, num_more, name):
        more = [(0, 0)] * feature.ndim
        for axis in self.axes(name):
            more[axis] = (0, num_more)
        feature = np.pad(feature, more)
        mask = np.pad(self.mask, [(0, 0), (0, num_more)])
        garbage = np.random.default_rng(_SEED).normal(size=feature.shape)
        is_real = self.is_real(mask, feature.ndim, name)
        garbage = (_GARBAGE * garbage).astype("float32")
        return np.where(is_real, feature, garbage)

    def cut(self, features, example, tokens):
        """One example of the features, with only some of its tokens."""
        if isinstance(features, dict):
            return {
                name: self._cut(feature, example, tokens, name)
                for name, feature in features.items()
            }
        return self._cut(features, example, tokens, None)

    def _cut(self, feature, example, tokens, name):
        feature = feature[example : example + 1]
        for axis in self.axes(name):
            feature = np.take(feature, tokens, axis=axis)
        return feature

    def fail(self, what, details):
        """Fails with a sentence that says what and for which loss."""
        raise AssertionError(f"{type(self.loss).__name__}: {what}. {details}")

    def check_close(self, values, expected, what):
        """Fails unless all values are as expected."""
        values = np.asarray(values, "float64")
        error = np.abs(values - expected) / np.maximum(1, np.abs(expected))
        # Written so that an error that is not a number fails.
        if not np.all(error <= self.tolerance):
            self.fail(
                what,
                f"Expected {_show(expected)}, got {_show(values)}; largest "
                f"error {np.max(error):.3g}, allowed {self.tolerance:.3g}.",
            )

    def check_finite(self, values, what):
        """Fails unless all values are finite numbers."""
        wrong = np.sum(~np.isfinite(values))
        if wrong:
            self.fail(
                what, f"{wrong} of {values.size} are infinite or not numbers."
            )


def each(change, features):
    """A feature, or each of several by name, changed by a function."""
    if isinstance(features, dict):
        return {name: change(value) for name, value in features.items()}
    return change(features)


def _show(values):
    return np.array2string(
        np.asarray(values), precision=7, threshold=8, separator=", "
    )
