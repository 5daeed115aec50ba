"""Values as JSON has them."""

import math
import numbers


def plain(value):
    """Turns nested values into what JSON can hold and give back.

    Args:
        value: dict, list, tuple, number (NumPy's too), str, bool, `None` or
            anything with a `str()`, such as a path.

    Returns:
        Dicts with str keys, lists, int, finite float, str, bool and `None`,
        which also stands for a number that is not finite.
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    return str(value)
