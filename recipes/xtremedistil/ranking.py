"""Scores of students on targets, the best on average first: table, picture."""

import dataclasses
import math

import matplotlib
import numpy as np
from matplotlib import figure as mpl_figure

from keras_distill import io
from keras_distill.io.saving import replaced_file
from recipes.common.tables import percent

# Inches.
_CELL = (1.15, 0.5)
_MARGINS = (3.4, 1.9)


@dataclasses.dataclass(frozen=True)
class Scored:
    """What one student of a study reached: `recipe.transfer`'s results."""

    name: str
    source: str
    student: str
    results: list

    @property
    def scores(self):
        """One for each target, `None` where it is no number."""
        return [_score(result) for result in self.results]

    @property
    def points(self):
        """The scores and then their mean; what is no number counts as 0."""
        counted = [score or 0.0 for score in self.scores]
        return np.array([*counted, sum(counted) / len(counted)])


def rank(scored, start):
    """Orders students by their mean over targets.

    Each is compared with the one of its own size that was not distilled,
    whose source is `start`.

    Returns:
        dict that JSON can hold: `"targets"`, a list of names; `"metrics"`,
        that which each is measured by; `"rows"`, the best first, each with
        `"name"`, `"source"`, `"student"`, `"is_start"`, `"scores"`, one for
        each target and `None` where it is no number, their `"mean"`, in which
        that counts as 0, and `"gains"`, what the scores and then their mean
        are above those without distillation; and `"sources"`, the averages of
        the rows of one source, the best first, unless each has one row.
    """
    starts = {one.student: one.points for one in scored if one.source == start}
    rows, by_source = [], {}
    for one in scored:
        gains = one.points - starts[one.student]
        by_source.setdefault(one.source, []).append((one.points, gains))
        rows.append(
            {
                "name": one.name,
                "source": one.source,
                "student": one.student,
                "is_start": one.source == start,
                "scores": one.scores,
                "mean": float(one.points[-1]),
                "gains": gains.tolist(),
            }
        )
    averages = []
    if len(by_source) < len(rows):
        for source, pairs in by_source.items():
            points, gains = np.mean(pairs, axis=0).tolist()
            averages.append(
                {
                    "name": source,
                    "scores": points[:-1],
                    "mean": points[-1],
                    "gains": gains,
                }
            )
    first = scored[0].results
    return {
        "targets": [result["target"] for result in first],
        "metrics": [result["metric"] for result in first],
        "rows": _best_first(rows),
        "sources": _best_first(averages),
    }


def to_markdown(study):
    """A study as a ranked table, and the averages per source if it has any."""
    table = _table("dev split, × 100", study, study["rows"])
    if study["sources"]:
        averages = _table("average per source", study, study["sources"])
        table += f"\n{averages}"
    return table


def draw(study, path):
    """Draws a study's heat map into a PNG file."""
    with replaced_file(path) as temporary:
        figure_of(study).savefig(temporary, format="png", dpi=150)


def figure_of(study):
    """A study as a heat map; below its rows stand the averages per source.

    Colours say how many points a cell is above or below the student of the
    same size without distillation on the same target; numbers are the scores.
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
                    percent(score),
                    ha="center",
                    va="center",
                    color="white" if is_dark else "black",
                )
    return figure


def _best_first(rows):
    return sorted(rows, key=lambda row: -row["mean"])


def _score(result):
    (metrics,) = result["models"].values()
    score = metrics[result["metric"]]
    return None if score is None or math.isnan(score) else score


def _table(title, study, rows):
    columns = [
        f"{name}, {metric.replace('_', ' ')}"
        for name, metric in zip(study["targets"], study["metrics"], strict=True)
    ]
    return io.markdown_table(
        [title, *columns, "mean"],
        [
            [
                f"{place}. {row['name']}",
                *map(percent, row["scores"]),
                percent(row["mean"]),
            ]
            for place, row in enumerate(rows, 1)
        ],
    )
