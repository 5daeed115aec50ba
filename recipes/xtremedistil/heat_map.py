"""The source x target table of a study, as text and as a picture."""

import matplotlib
import numpy as np
from matplotlib import figure as mpl_figure

from keras_distill.saving import replaced_file
from recipes.xtremedistil import tables

# Inches.
_CELL = (1.15, 0.5)
_MARGINS = (3.4, 1.9)


def to_markdown(study):
    """A study as a ranked table.

    Args:
        study: dict, as `ranking.rank` returns it.

    Returns:
        str. Markdown.
    """
    columns = [
        f"{name}, {metric.replace('_', ' ')}"
        for name, metric in zip(study["targets"], study["metrics"], strict=True)
    ]
    rows = [
        [
            f"{place}. {row['name']}",
            *map(tables.percent, row["scores"]),
            tables.percent(row["mean"]),
        ]
        for place, row in enumerate(study["rows"], 1)
    ]
    return tables.markdown(["dev split, × 100", *columns, "mean"], rows)


def draw(study, path):
    """Draws a study as a heat map.

    Colours say how many points a cell is above or below the student without
    distillation on the same target, or the target's mean if there is none;
    numbers are the scores.

    Args:
        study: dict, as `ranking.rank` returns it.
        path: `pathlib.Path` of the PNG file.
    """
    rows = study["rows"]
    columns = [*study["targets"], "mean"]
    values = 100 * np.array(
        [[*row["scores"], row["mean"]] for row in rows], dtype="float64"
    )
    gains = _gains(rows, values)
    width = _MARGINS[0] + _CELL[0] * len(columns)
    height = _MARGINS[1] + _CELL[1] * len(rows)
    with matplotlib.rc_context({"text.parse_math": False}):
        figure = mpl_figure.Figure((width, height), layout="constrained")
        axes = figure.subplots()
        largest = max(1.0, float(np.abs(gains).max()))
        image = axes.imshow(
            gains, cmap="PuOr_r", vmin=-largest, vmax=largest, aspect="auto"
        )
        figure.colorbar(image, label="points above no distillation")
        axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
        axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
        # The mean stands apart.
        axes.axvline(len(columns) - 1.5, color="black", linewidth=1)
        for (row, column), value in np.ndenumerate(values):
            gain = abs(gains[row, column])
            axes.text(
                column,
                row,
                tables.percent(value / 100),
                ha="center",
                va="center",
                color="white" if gain > 0.6 * largest else "black",
            )
        with replaced_file(path) as temporary:
            figure.savefig(temporary, format="png", dpi=150)


def _gains(rows, values):
    """Points above the rows without distillation, else above the mean."""
    # A correlation that is no number says as much as one of 0.
    counted = np.nan_to_num(values)
    starts = [place for place, row in enumerate(rows) if row["is_start"]]
    return counted - (counted[starts] if starts else counted).mean(axis=0)
