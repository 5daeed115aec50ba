"""The values of variables, by place."""

import numpy as np


def read(variables):
    """Copies the values of variables.

    Args:
        variables: sequence of `keras.Variable`.

    Returns:
        list of NumPy arrays.
    """
    # A scalar comes as a number from some backends.
    return [np.asarray(variable.numpy()) for variable in variables]


def assign(variables, values, what):
    """Gives variables the values that `read` copied.

    Variables are told apart by their place, not by their names: Keras counts
    up the names that it makes, and a run that goes on makes fewer.

    Args:
        variables: sequence of `keras.Variable`.
        values: list of NumPy arrays.
        what: str. What they belong to, for the message.

    Raises:
        ValueError: If they do not fit. No variable is changed then.
    """
    check(variables, values, what)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def check(variables, values, what):
    """Raises unless values fit variables, in number, type and shape.

    Args:
        variables: sequence of `keras.Variable`.
        values: list of NumPy arrays.
        what: str. What they belong to, for the message.
    """
    found = values if isinstance(values, list) else [values]
    if len(variables) != len(found):
        raise ValueError(
            f"The saved {what} does not fit: it has {len(found)} variables, "
            f"the one now has {len(variables)}."
        )
    for variable, value in zip(variables, found, strict=True):
        now = f"{variable.dtype} {tuple(variable.shape)}"
        there = type(value).__name__
        if isinstance(value, np.ndarray):
            there = f"{value.dtype.name} {value.shape}"
        if now != there:
            raise ValueError(
                f"The saved {what} does not fit: '{variable.path}' is {there} "
                f"there, {now} now."
            )
