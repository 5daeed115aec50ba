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

    Attributes:
        loss: `keras_distill.losses.DistillationLoss`.
        teacher: float32 array `(B, ...)`.
        student: float32 array `(B, ...)`.
        mask: Optional float32 array `(B, L)`.
        reference: Callable `(teacher, student, mask)`; see
            `check_distillation_loss`.
        token_axes: Tuple of int. The axes of the features that count tokens.
        tolerance: float.
    """

    loss: object
    teacher: np.ndarray
    student: np.ndarray
    mask: np.ndarray | None
    reference: object
    token_axes: tuple
    tolerance: float

    def per_example(self, teacher, student, mask):
        """What the loss returns, a tensor."""
        if mask is not None:
            mask = ops.convert_to_tensor(mask, "float32")
        return self.loss.per_example(
            ops.convert_to_tensor(teacher), ops.convert_to_tensor(student), mask
        )

    def values(self, teacher, student, mask):
        """What the loss returns, as an array."""
        return ops.convert_to_numpy(self.per_example(teacher, student, mask))

    def gradient(self, teacher, student, mask):
        """Its gradient with respect to the student."""
        return gradient(lambda x: self.per_example(teacher, x, mask), student)

    def expected(self, teacher, student):
        """What the reference returns for the case's mask."""
        mask = self.mask
        return np.asarray(
            self.reference(
                teacher.astype("float64"),
                student.astype("float64"),
                None if mask is None else mask.astype("float64"),
            )
        )

    def is_real(self, mask, num_axes):
        """Where a feature is real, as an array that broadcasts to it."""
        is_real = np.ones((1,) * num_axes, bool)
        for axis in self.token_axes:
            shape = [1] * num_axes
            shape[0], shape[axis] = mask.shape
            is_real = is_real & (mask > 0).reshape(shape)
        return is_real

    def with_garbage(self, feature, num_more=0):
        """A feature with more padding, and with garbage in all padding."""
        more = [(0, 0)] * feature.ndim
        for axis in self.token_axes:
            more[axis] = (0, num_more)
        feature = np.pad(feature, more)
        mask = np.pad(self.mask, [(0, 0), (0, num_more)])
        garbage = np.random.default_rng(_SEED).normal(size=feature.shape)
        is_real = self.is_real(mask, feature.ndim)
        garbage = (_GARBAGE * garbage).astype("float32")
        return np.where(is_real, feature, garbage)

    def cut(self, feature, example, tokens):
        """One example of a feature, with only some of its tokens."""
        feature = feature[example : example + 1]
        for axis in self.token_axes:
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


def _show(values):
    return np.array2string(
        np.asarray(values), precision=7, threshold=8, separator=", "
    )
