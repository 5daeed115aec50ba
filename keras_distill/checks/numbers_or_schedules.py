"""Arguments that are a number, or a schedule: a function of the step."""

import keras
from keras import ops


def check_number_or_schedule(name, value, number):
    """Raises unless a value is a number, or a schedule that begins with one."""
    found = value
    if callable(value) and not isinstance(value, type):
        try:
            found = float(ops.convert_to_numpy(value(0)))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`{name}` must be {number}, or a schedule: a function of the "
                f"optimizer's step that gives one. Received: {name}={value!r}, "
                f"which raised {type(error).__name__}: {error}"
            ) from error
        if not number.accepts(found):
            raise ValueError(
                f"`{name}` must be {number} at every step. Received: "
                f"{name}={value!r}, which begins with {found:g}"
            )
    elif not number.accepts(value):
        raise ValueError(
            f"`{name}` must be {number}. Received: {name}={value!r}. A "
            "schedule, a function of the optimizer's step, is taken too."
        )


def in_words(value):
    """A number, or the name of the schedule that it follows."""
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return f"{value:g}"


def config_of(value):
    """A number or schedule as Keras saves it."""
    return keras.saving.serialize_keras_object(value)
