"""What every distillation loss must fulfil, as one call."""

import dataclasses
import functools
import json

import keras
import numpy as np
from keras import ops

from keras_distill.testing.loss_case import LossCase
from keras_distill.testing.loss_case import each

_LARGE = 1e4


def check_distillation_loss(
    loss,
    teacher,
    student,
    mask=None,
    *,
    reference,
    token_axes=(1,),
    y=None,
    zero_when_equal=True,
    tolerance=1e-6,
):
    """Checks what every distillation loss must fulfil.

    For `loss.per_example(teacher, student, mask)`:

    - it has the values of `reference`, computed in NumPy;
    - it has shape `(B,)` and is float32 and computed in float32, whatever
      precision the inputs come in;
    - padding changes nothing: neither its content nor its amount;
    - an example with `k` real tokens counts as it does when cut to `k`
      tokens;
    - its gradient with respect to the student is finite, also for an example
      that is all padding, and zero at padding;
    - it is zero, with a zero gradient, where the student equals the teacher;
    - it and its gradient are finite for inputs as large as 10,000;
    - it comes back from JSON as it was.

    The checks of padding are left out without a mask.

    Args:
        loss: `keras_distill.losses.DistillationLoss`.
        teacher: Array `(B, ...)`, the teacher's feature; for a loss that
            looks at several at once, a dict of them by name.
        student: Array `(B, ...)`, the student's, after its projection; or a
            dict, in the order of those of the teacher that they learn from.
        mask: Optional array `(B, L)`, 1 at real tokens, 0 at padding. Make
            one example shorter than the others.
        reference: Callable `(teacher, student, mask)` that computes the value
            of each example, `(B,)`, in NumPy. It gets float64 arrays, and
            `None` for a missing mask; the labels come last, if the loss
            reads them.
        token_axes: Tuple of int. The axes of the features that count tokens:
            `(1,)` for `(B, L, D)`, `(2, 3)` for attention scores
            `(B, H, L, L)`. Of several features a dict by name; one that is
            left out counts none. Defaults to `(1,)`.
        y: Optional array of labels `(B, ...)`, for a loss with
            `reads_labels`.
        zero_when_equal: bool. Whether the value is zero for equal inputs;
            `False` for a loss such as the cross-entropy, of which only the
            gradient is zero there. Defaults to `True`.
        tolerance: float. Largest error, absolute for values below 1 and
            relative above. Defaults to `1e-6`.

    Raises:
        AssertionError: If a check fails; the message says which one, and
            what was found.

    Example:

    ```python
    import numpy as np
    from keras_distill import losses
    from keras_distill.testing import check_distillation_loss


    def mean_squared_error(teacher, student, mask):
        errors = np.mean((teacher - student) ** 2, axis=-1)
        if mask is None:
            return errors.mean(axis=1)
        return (errors * mask).sum(axis=1) / mask.sum(axis=1)


    random = np.random.default_rng(0)
    check_distillation_loss(
        losses.HiddenStatesDistillation(),
        teacher=random.normal(size=(2, 3, 4)),
        student=random.normal(size=(2, 3, 4)),
        mask=[[1, 1, 1], [1, 1, 0]],
        reference=mean_squared_error,
    )
    ```
    """
    as_float32 = functools.partial(np.asarray, dtype="float32")
    case = LossCase(
        loss=loss,
        teacher=each(as_float32, teacher),
        student=each(as_float32, student),
        mask=None if mask is None else np.asarray(mask, "float32"),
        reference=reference,
        token_axes=token_axes,
        tolerance=tolerance,
        y=None if y is None else np.asarray(y),
    )
    _check_shape_and_dtype(case)
    if mask is not None:
        _check_padding(case)
        _check_slice(case)
        _check_gradient_at_padding(case)
    _check_gradient(case)
    _check_equal_inputs(case, zero_when_equal)
    _check_large_inputs(case)
    _check_json(case)


def _check_shape_and_dtype(case):
    shape = (case.num_examples,)
    for dtype in ("float32", "float16", "bfloat16"):
        cast = functools.partial(ops.cast, dtype=dtype)
        teacher, student = each(cast, case.teacher), each(cast, case.student)
        values = case.per_example(teacher, student, case.mask)
        if tuple(values.shape) != shape:
            case.fail(
                "it must give one value for each example",
                f"Expected shape {shape}, got {tuple(values.shape)}.",
            )
        got = keras.backend.standardize_dtype(values.dtype)
        if got != "float32":
            case.fail(
                f"its values for {dtype} inputs must be float32", f"Got {got}."
            )
        # The reference sees the rounded inputs, so that what is left to
        # differ is the precision of the computation.
        case.check_close(
            ops.convert_to_numpy(values),
            case.expected(_as_numpy(teacher), _as_numpy(student)),
            f"its values for {dtype} inputs are not those of the reference",
        )


def _check_padding(case):
    expected = case.values(case.teacher, case.student, case.mask)
    for num_more, what in (
        (0, "the content of padding changes its values"),
        (2, "more padding changes its values"),
    ):
        values = case.values(
            case.with_garbage(case.teacher, num_more),
            case.with_garbage(case.student, num_more),
            np.pad(case.mask, [(0, 0), (0, num_more)]),
        )
        case.check_close(values, expected, what)


def _check_slice(case):
    expected = case.values(case.teacher, case.student, case.mask)
    for example in range(len(expected)):
        tokens = np.flatnonzero(case.mask[example])
        if not len(tokens):
            continue
        teacher = case.cut(case.teacher, example, tokens)
        student = case.cut(case.student, example, tokens)
        for mask in (None, np.ones((1, len(tokens)))):
            case.check_close(
                case.values(teacher, student, mask, [example])[0],
                expected[example],
                f"example {example} has another value when it is cut to its "
                f"{len(tokens)} real tokens",
            )


def _check_gradient_at_padding(case):
    all_padding = case.mask.copy()
    all_padding[0] = 0
    for mask in (case.mask, all_padding):
        found = case.gradient(case.teacher, case.student, mask)
        for name, values in found.items():
            case.check_finite(
                values,
                "its gradient is not finite with mask "
                f"{mask.astype(int).tolist()}",
            )
            is_padding = ~case.is_real(mask, values.ndim, name)
            case.check_close(
                np.abs(values * is_padding).max(),
                0.0,
                "its gradient is not zero at padding",
            )


def _check_gradient(case):
    found = case.gradient(case.teacher, case.student, case.mask)
    for values in found.values():
        case.check_finite(values, "its gradient is not finite")


def _check_equal_inputs(case, zero_when_equal):
    equal = case.teacher
    if isinstance(case.student, dict):
        # In their order; the teacher may have more.
        equal = dict(zip(case.student, equal.values(), strict=False))
    if zero_when_equal:
        case.check_close(
            case.values(case.teacher, equal, case.mask),
            np.zeros(case.num_examples),
            "its values for equal inputs are not zero",
        )
    found = case.gradient(case.teacher, equal, case.mask)
    for values in found.values():
        case.check_close(
            np.abs(values).max(),
            0.0,
            "its gradient for equal inputs is not zero",
        )


def _check_large_inputs(case):
    teacher, student = (
        each(lambda x: x * (_LARGE / max(np.abs(x).max(), 1e-6)), features)
        for features in (case.teacher, case.student)
    )
    case.check_finite(
        case.values(teacher, student, case.mask),
        f"its values for inputs up to {_LARGE:g} are not finite",
    )
    for values in case.gradient(teacher, student, case.mask).values():
        case.check_finite(
            values, f"its gradient for inputs up to {_LARGE:g} is not finite"
        )


def _check_json(case):
    try:
        saved = json.dumps(keras.saving.serialize_keras_object(case.loss))
        loaded = keras.saving.deserialize_keras_object(json.loads(saved))
    except (TypeError, ValueError) as error:
        case.fail("it does not come back from JSON", str(error))
    config, loaded_config = case.loss.get_config(), loaded.get_config()
    if loaded_config != config:
        case.fail(
            "its configuration changes on the way through JSON",
            f"Expected {config}, got {loaded_config}.",
        )
    inputs = (case.teacher, case.student, case.mask)
    case.check_close(
        dataclasses.replace(case, loss=loaded).values(*inputs),
        case.values(*inputs),
        "its values change on the way through JSON",
    )


def _as_numpy(features):
    # NumPy has no bfloat16, but each of its numbers is a float32.
    return each(
        lambda x: ops.convert_to_numpy(ops.cast(x, "float32")), features
    )
