"""Numbers as people read them, with a dash for what is not known."""

import math

DASH = "–"
NO_BREAK_SPACE = "\u00a0"


def count(value):
    """Formats a count: `320`, `612.3 k`, `10.65 M`."""
    if value < 1e3:
        return f"{value:.0f}"
    # From here on it would read `1000.0 k`.
    if value < 999_950:
        return f"{value / 1e3:.1f} k"
    return f"{value / 1e6:.2f} M"


def percent(value):
    """Formats a share of 1 in per cent: `98.3`."""
    return f"{100 * value:.1f}"


def megabytes(value):
    """Formats bytes in MB of a million bytes: `2.58`."""
    return f"{value / 1e6:.2f}"


def milliseconds(value):
    """Formats milliseconds: two decimals."""
    return f"{value:.2f}"


def rate(value):
    """Formats a rate per second: `1,234`."""
    return f"{value:,.0f}"


def times(value):
    """Formats a factor: `17.0×`."""
    return f"{value:.1f}×"


def duration(seconds):
    """Formats seconds: `8.2 s`, `3 min 12 s`, `2 h 5 min`, unbroken."""
    if is_missing(seconds):
        return DASH
    minutes, rest = divmod(round(seconds), 60)
    # From here on it would read `60.0 s`.
    if seconds < 59.95:
        words = f"{seconds:.1f} s"
    elif minutes < 60:
        words = f"{minutes} min {rest} s"
    else:
        words = f"{minutes // 60} h {minutes % 60} min"
    return words.replace(" ", NO_BREAK_SPACE)


def is_missing(value):
    """Whether a number is `None` or not finite."""
    return value is None or not math.isfinite(value)


def cell(value, style):
    """Formats one table cell.

    Args:
        value: a number, `None`, or a dict with `"mean"` and `"sd"`.
        style: one of this file's functions.

    Returns:
        str. The number, `mean ± sd`, or a dash. A mean without deviation
        was the same for every seed, or there was one seed.
    """
    if not isinstance(value, dict):
        return DASH if is_missing(value) else style(value)
    if is_missing(value["mean"]):
        return DASH
    if is_missing(value["sd"]) or value["sd"] == 0:
        return style(value["mean"])
    return f"{style(value['mean'])} ± {style(value['sd'])}"
