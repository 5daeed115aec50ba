"""A table of scores as a picture."""

import matplotlib
import numpy as np
from matplotlib import figure as mpl_figure

# Inches.
_CELL = (1.15, 0.5)
_MARGINS = (3.4, 1.9)


def heat_map(rows, columns, gains, texts, label, last_rows=0, last_columns=0):
    """Draws a table whose colours are gains over something, 0 in the middle.

    Args:
        rows, columns: sequences of str. Their names.
        gains: Array `(rows, columns)`.
        texts: A sequence of str for each row: what its cells say.
        label: str. What the colours are.
        last_rows, last_columns: int. So many stand apart from the others.

    Returns:
        `matplotlib.figure.Figure`.
    """
    largest = max(1.0, float(np.abs(gains).max()))
    size = [
        margin + cell * len(names)
        for margin, cell, names in zip(
            _MARGINS, _CELL, (columns, rows), strict=True
        )
    ]
    with matplotlib.rc_context({"text.parse_math": False}):
        figure = mpl_figure.Figure(size, layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(
            gains, cmap="PuOr_r", vmin=-largest, vmax=largest, aspect="auto"
        )
        figure.colorbar(image, label=label)
        axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
        axes.set_yticks(range(len(rows)), rows)
        for count, last, line in (
            (len(columns), last_columns, axes.axvline),
            (len(rows), last_rows, axes.axhline),
        ):
            if last:
                line(count - last - 0.5, color="black", linewidth=1)
        for place, row in enumerate(texts):
            for column, text in enumerate(row):
                is_dark = abs(gains[place, column]) > 0.6 * largest
                axes.text(
                    column,
                    place,
                    text,
                    ha="center",
                    va="center",
                    color="white" if is_dark else "black",
                )
    return figure
