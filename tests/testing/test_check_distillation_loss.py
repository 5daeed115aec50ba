"""The battery passes a sound loss, and finds what is wrong with others."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_distill.losses import DistillationLoss
from keras_distill.losses import HiddenStatesDistillation
from keras_distill.losses import functional
from keras_distill.testing import check_distillation_loss


@keras.saving.register_keras_serializable("tests")
class Sound(DistillationLoss):
    """Mean over real tokens of the mean squared error."""

    def __init__(self, name="sound"):
        super().__init__(name)

    def per_example(self, teacher, student, mask=None):
        values = functional.mean_squared_error(teacher, student)
        return functional.token_mean(values, mask)


@keras.saving.register_keras_serializable("tests")
class Doubled(Sound):
    def per_example(self, teacher, student, mask=None):
        return 2 * super().per_example(teacher, student, mask)


@keras.saving.register_keras_serializable("tests")
class OneNumber(Sound):
    def per_example(self, teacher, student, mask=None):
        return ops.mean(super().per_example(teacher, student, mask))


@keras.saving.register_keras_serializable("tests")
class HalfPrecisionOut(Sound):
    def per_example(self, teacher, student, mask=None):
        values = super().per_example(teacher, student, mask)
        return ops.cast(values, student.dtype)


@keras.saving.register_keras_serializable("tests")
class HalfPrecisionInside(Sound):
    def per_example(self, teacher, student, mask=None):
        values = ops.mean(ops.square(teacher - student), axis=-1)
        return functional.token_mean(values, mask)


@keras.saving.register_keras_serializable("tests")
class PaddingContentCounts(Sound):
    def per_example(self, teacher, student, mask=None):
        values = super().per_example(teacher, student, mask)
        if mask is None:
            return values
        student = functional.as_float32(student)
        excess = ops.relu(ops.max(ops.abs(student), axis=(1, 2)) - 10.0)
        return values + excess


@keras.saving.register_keras_serializable("tests")
class PaddingAmountCounts(Sound):
    """Right for four positions only."""

    def per_example(self, teacher, student, mask=None):
        values = super().per_example(teacher, student, mask)
        if mask is None:
            return values
        return values * 4 / mask.shape[1]


@keras.saving.register_keras_serializable("tests")
class RightForTheLongestOnly(Sound):
    def per_example(self, teacher, student, mask=None):
        if mask is None or mask.shape[0] > 1:
            return super().per_example(teacher, student, mask)
        return 3 * super().per_example(teacher, student, mask)


@keras.saving.register_keras_serializable("tests")
class NotANumberForPadding(Sound):
    def per_example(self, teacher, student, mask=None):
        values = functional.mean_squared_error(teacher, student)
        if mask is None:
            return functional.token_mean(values)
        return ops.sum(mask * values, axis=1) / ops.sum(mask, axis=1)


@ops.custom_gradient
def add_gradient(x):
    """Gives `x` a gradient of 1 more than it has."""

    def grad(*args, upstream=None):
        return (args[0] if upstream is None else upstream) + 1.0

    return x, grad


@keras.saving.register_keras_serializable("tests")
class GradientAtPadding(Sound):
    def per_example(self, teacher, student, mask=None):
        return super().per_example(teacher, add_gradient(student), mask)


@keras.saving.register_keras_serializable("tests")
class RootOfZero(Sound):
    """Its gradient is infinite where teacher and student agree."""

    def per_example(self, teacher, student, mask=None):
        return ops.sqrt(super().per_example(teacher, student, mask))


@keras.saving.register_keras_serializable("tests")
class Shifted(Sound):
    def per_example(self, teacher, student, mask=None):
        return super().per_example(teacher, student, mask) + 1.0


@keras.saving.register_keras_serializable("tests")
class ProbabilitiesFirst(Sound):
    """KL divergence that is not computed in log space."""

    def per_example(self, teacher, student, mask=None):
        p = ops.softmax(functional.as_float32(teacher))
        q = ops.softmax(functional.as_float32(student))
        return ops.sum(p * (ops.log(p) - ops.log(q)), axis=-1)


@keras.saving.register_keras_serializable("tests")
class ForgetsItsFactor(Sound):
    def __init__(self, factor=1.0, name="sound"):
        super().__init__(name)
        self.factor = factor

    def per_example(self, teacher, student, mask=None):
        values = super().per_example(teacher, student, mask)
        return self.factor * values


@keras.saving.register_keras_serializable("tests")
class HasMoreThanJson(Sound):
    def get_config(self):
        return {**super().get_config(), "of": object()}


@keras.saving.register_keras_serializable("tests")
class NeverTheSame(Sound):
    def __init__(self, number=0, name="sound"):
        super().__init__(name)
        self.number = number

    def get_config(self):
        return {**super().get_config(), "number": self.number + 1}


def mean_squared_error(teacher, student, mask):
    values = np.mean((teacher - student) ** 2, axis=-1)
    mask = np.ones(values.shape) if mask is None else mask
    return np.sum(mask * values, axis=1) / np.sum(mask, axis=1)


@pytest.fixture
def inputs():
    random = np.random.default_rng(0)
    return {
        "teacher": random.normal(size=(2, 4, 5)),
        "student": random.normal(size=(2, 4, 5)),
        "mask": [[1, 1, 1, 1], [1, 1, 1, 0]],
        "reference": mean_squared_error,
    }


@pytest.mark.parametrize("loss", [Sound(), HiddenStatesDistillation()])
def test_a_sound_loss_passes(loss, inputs):
    check_distillation_loss(loss, **inputs)


@pytest.mark.parametrize(
    "loss_class, message",
    [
        (Doubled, "float32 inputs are not those of the reference.*Expected"),
        (OneNumber, r"one value for each example.*\(2,\), got \(\)"),
        (HalfPrecisionOut, "for float16 inputs must be float32. Got float16"),
        (HalfPrecisionInside, "for float16 inputs are not those of the"),
        (PaddingContentCounts, "the content of padding changes its values"),
        (PaddingAmountCounts, "more padding changes its values"),
        (
            RightForTheLongestOnly,
            "example 0 has another value when it is cut",
        ),
        (NotANumberForPadding, r"not finite with mask \[\[0, 0, 0, 0\]"),
        (GradientAtPadding, "its gradient is not zero at padding"),
        (HasMoreThanJson, "HasMoreThanJson: it does not come back from JSON"),
        (NeverTheSame, "its configuration changes on the way through JSON"),
    ],
)
def test_what_is_wrong_is_found(loss_class, message, inputs):
    with pytest.raises(AssertionError, match=f"(?s){message}"):
        check_distillation_loss(loss_class(), **inputs)


def test_an_argument_that_the_configuration_forgets(inputs):
    inputs["reference"] = lambda *args: 3 * mean_squared_error(*args)
    with pytest.raises(AssertionError, match="ForgetsItsFactor: its values"):
        check_distillation_loss(ForgetsItsFactor(3.0), **inputs)


def test_a_value_that_is_not_zero_for_equal_inputs(inputs):
    inputs["reference"] = lambda *args: 1 + mean_squared_error(*args)
    with pytest.raises(AssertionError, match="equal inputs are not zero"):
        check_distillation_loss(Shifted(), **inputs)
    check_distillation_loss(Shifted(), **inputs, zero_when_equal=False)


def test_a_gradient_that_is_not_zero_for_equal_inputs(inputs):
    inputs["reference"] = lambda *args: np.sqrt(mean_squared_error(*args))
    inputs["mask"] = None
    with pytest.raises(
        AssertionError, match="its gradient for equal inputs is not zero"
    ):
        check_distillation_loss(RootOfZero(), **inputs)


def test_large_inputs():
    def divergence(teacher, student, mask):
        p, q = np.exp(teacher), np.exp(student)
        p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
        return np.sum(p * np.log(p / q), axis=-1)

    random = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="up to 10000 are not finite"):
        check_distillation_loss(
            ProbabilitiesFirst(),
            random.normal(size=(2, 3)),
            random.normal(size=(2, 3)),
            reference=divergence,
        )


def test_masks_are_optional(inputs):
    inputs["mask"] = None
    check_distillation_loss(PaddingContentCounts(), **inputs)
