"""The source x target table of a study, as text and as a picture."""

import matplotlib
import numpy as np
from matplotlib import figure as mpl_figure

from keras_distill import io
from keras_distill.io.saving import replaced_file
from recipes.xtremedistil import tables

# Inches.
_CELL = (1.15, 0.5)
_MARGINS = (3.4, 1.9)


def to_markdown(study):
    """A study as a ranked table, and as one with the average per source.

    Args:
        study: dict, as `ranking.rank` returns it.

    Returns:
        str. Markdown. The second table is left out where each source has one
        row.
    """
    table = _table("dev split, × 100", study, study["rows"])
    if study["sources"]:
        averages = _table("average per source", study, study["sources"])
        table += f"\n{averages}"
    return table


def draw(study, path):
    """Draws a study's heat map into a file.

    Args:
        study: dict, as `ranking.rank` returns it.
        path: `pathlib.Path` of the PNG file.
    """
    with replaced_file(path) as temporary:
        figure_of(study).savefig(temporary, format="png", dpi=150)


def figure_of(study):
    """Draws a study as a heat map.

    Colours say how many points a cell is above or below the student of the
    same size without distillation on the same target; numbers are the scores.
    Below the rows stand the averages per source, where a source has more than
    one row.

    Args:
        study: dict, as `ranking.rank` returns it.

    Returns:
        `matplotlib.figure.Figure`.
    """
    averages = [
        {**row, "name": f"average: {row['name']}"} for row in study["sources"]
    ]
    rows = [*study["rows"], *averages]
    columns = [*study["targets"], "mean"]
    gains = 100 * np.array([row["gains"] for row in rows])
    largest = max(1.0, float(np.abs(gains).max()))
    width = _MARGINS[0] + _CELL[0] * len(columns)
    height = _MARGINS[1] + _CELL[1] * len(rows)
    with matplotlib.rc_context({"text.parse_math": False}):
        figure = mpl_figure.Figure((width, height), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(
            gains, cmap="PuOr_r", vmin=-largest, vmax=largest, aspect="auto"
        )
        figure.colorbar(
            image, label="points above the same student\nwithout distillation"
        )
        axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
        axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
        # Means and averages stand apart.
        axes.axvline(len(columns) - 1.5, color="black", linewidth=1)
        if averages:
            axes.axhline(len(study["rows"]) - 0.5, color="black", linewidth=1)
        for place, row in enumerate(rows):
            for column, score in enumerate([*row["scores"], row["mean"]]):
                is_dark = abs(gains[place, column]) > 0.6 * largest
                axes.text(
                    column,
                    place,
                    tables.percent(score),
                    ha="center",
                    va="center",
                    color="white" if is_dark else "black",
                )
    return figure


def _table(title, study, rows):
    columns = [
        f"{name}, {metric.replace('_', ' ')}"
        for name, metric in zip(study["targets"], study["metrics"], strict=True)
    ]
    cells = [
        [
            f"{place}. {row['name']}",
            *map(tables.percent, row["scores"]),
            tables.percent(row["mean"]),
        ]
        for place, row in enumerate(rows, 1)
    ]
    return io.markdown_table([title, *columns, "mean"], cells)
