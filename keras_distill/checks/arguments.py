"""Checks of arguments: numbers in their range, names out of a list.

Whatever takes a number reads it here, so that all of the package means the
same by one: no bool, no text, nothing that is not finite, no float for an int.
"""

import dataclasses
import difflib
import math
import numbers

import numpy as np


@dataclasses.dataclass(frozen=True)
class Number:
    """What a number may be.

    Args:
        kind: `int` or `float`. An int may stand for a float, not a float for
            an int.
        minimum: Optional number. The least one.
        above: Optional number. What it must be more than, in place of
            `minimum`.
        maximum: Optional number. The greatest one.
        below: Optional number. What it must be less than, in place of
            `maximum`.
        optional: bool. Whether it may be `None` as well. Defaults to `False`.

    Example:

    >>> from keras_distill.checks.arguments import Number
    >>> share = Number(float, minimum=0, below=1)
    >>> str(share), share.accepts(0.5), share.accepts(float("nan"))
    ('a number at least 0 and below 1', True, False)
    """

    kind: type
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    below: float | None = None
    optional: bool = False

    def accepts(self, value):
        """Whether a value is such a number.

        Args:
            value: Anything.

        Returns:
            bool.
        """
        if value is None:
            return self.optional
        kind = numbers.Integral if self.kind is int else numbers.Real
        return (
            isinstance(value, kind)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and (self.minimum is None or value >= self.minimum)
            and (self.above is None or value > self.above)
            and (self.maximum is None or value <= self.maximum)
            and (self.below is None or value < self.below)
        )

    def __str__(self):
        words = "an int" if self.kind is int else "a number"
        bounds = " and ".join(
            f"{how} {bound}"
            for how, bound in (
                ("at least", self.minimum),
                ("above", self.above),
                ("at most", self.maximum),
                ("below", self.below),
            )
            if bound is not None
        )
        if self.minimum is not None and self.maximum is not None:
            bounds = f"from {self.minimum} to {self.maximum}"
        elif bounds == f"at least {self.minimum}":
            bounds = f"of {self.minimum} or more"
        words = f"{words} {bounds}" if bounds else words
        return f"{words}, or None" if self.optional else words


# What Keras and NumPy take as a seed.
SEED = Number(int, minimum=0, maximum=2**32 - 1)


def check_int(name, value, minimum=None, maximum=None, optional=False):
    """Raises unless an argument is a whole number in its range."""
    number = Number(int, minimum, None, maximum, None, optional)
    check_number(name, value, number)
    return None if value is None else int(value)


def check_float(
    name,
    value,
    minimum=None,
    above=None,
    maximum=None,
    below=None,
    optional=False,
):
    """Raises unless an argument is a finite number in its range."""
    check_number(
        name, value, Number(float, minimum, above, maximum, below, optional)
    )
    return value if isinstance(value, (int, type(None))) else float(value)


def check_bool(name, value):
    """Raises unless an argument is `True` or `False`."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(
            f"`{name}` must be True or False. Received: {name}={value!r}"
        )


def check_number(name, value, number):
    """Raises unless an argument is a number of a kind."""
    if not number.accepts(value):
        raise ValueError(
            f"`{name}` must be {number}. Received: {name}={value!r}"
        )


def check_choice(name, value, choices):
    """Raises unless an argument is one of a list."""
    # 1 is not True, and what is compared by element is no choice.
    if not any(type(value) is type(one) and value == one for one in choices):
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, choices))}. "
            f"Received: {name}={value!r}{did_you_mean(value, choices)}"
        )


def did_you_mean(value, choices):
    """A hint at the name that was meant."""
    if not isinstance(value, str):
        return ""
    names = [name for name in choices if isinstance(name, str)]
    close = difflib.get_close_matches(value, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
