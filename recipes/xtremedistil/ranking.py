"""Scores of students on targets, the best on average first: table, picture."""

import dataclasses
import operator

import numpy as np

from keras_distill import io
from keras_distill.evaluation import heat_map
from keras_distill.io.saving import replaced_file
from recipes.common.tables import percent


@dataclasses.dataclass(frozen=True)
class Scored:
    """What one student of a study reached: `targets.transfer`'s results."""

    name: str
    source: str
    student: str
    results: list

    @property
    def scores(self):
        """One for each target, `None` where it is no number."""
        models = [(one["metric"], one["models"]) for one in self.results]
        return io.plain(
            [model[name] for name, of in models for model in of.values()]
        )

    @property
    def points(self):
        """The scores and then their mean; what is no number counts as 0."""
        counted = [score or 0.0 for score in self.scores]
        return np.array([*counted, sum(counted) / len(counted)])


def rank(scored, start):
    """Orders students by their mean over targets, the best first.

    Each is compared with the one of its own size that was not distilled,
    whose source is `start`. Returns a dict that JSON can hold: `"targets"` and
    their `"metrics"`; `"rows"`, where `"gains"` are what the scores and then
    their mean are above those without distillation; and `"sources"`, the
    averages of the rows of one source, unless each has one row.
    """
    starts = {one.student: one.points for one in scored if one.source == start}
    rows, by_source = [], {}
    for one in scored:
        pair = one.points, one.points - starts[one.student]
        by_source.setdefault(one.source, []).append(pair)
        of_row = {
            "source": one.source,
            "student": one.student,
            "is_start": one.source == start,
        }
        rows.append(_row(one.name, *pair) | of_row | {"scores": one.scores})
    averages = []
    if len(by_source) < len(rows):
        averages = [
            _row(source, *np.mean(pairs, axis=0))
            for source, pairs in by_source.items()
        ]
    first = scored[0].results
    return {
        "targets": [result["target"] for result in first],
        "metrics": [result["metric"] for result in first],
        "rows": _best_first(rows),
        "sources": _best_first(averages),
    }


def _best_first(rows):
    return sorted(rows, key=operator.itemgetter("mean"), reverse=True)


def _row(name, points, gains):
    *scores, mean = points.tolist()
    found = {"name": name, "scores": scores, "mean": mean}
    return found | {"gains": gains.tolist()}


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
    return heat_map(
        [row["name"] for row in rows],
        [*study["targets"], "mean"],
        100 * np.array([row["gains"] for row in rows]),
        [[*map(percent, row["scores"]), percent(row["mean"])] for row in rows],
        "points above the same student\nwithout distillation",
        last_rows=len(averages),
        last_columns=1,
    )


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
