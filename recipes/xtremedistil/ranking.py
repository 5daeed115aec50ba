"""Scores of students on targets, the best on average first."""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class Scored:
    """What one student of a study reached on all targets.

    Attributes:
        name: str. What tells it from the others.
        source: str. What it was distilled on, or that it was not.
        student: str. Its size.
        results: list of dict, one for each target, as `targets.transfer`
            returns them.
    """

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

    Each is compared with the one of its own size that was not distilled.

    Args:
        scored: list of `Scored`, among them one of each size without
            distillation.
        start: str. The source of those without distillation.

    Returns:
        dict that JSON can hold: `"targets"`, a list of names; `"metrics"`,
        that which each is measured by; `"rows"`, the best first, each with
        `"name"`, `"source"`, `"student"`, `"is_start"`, `"scores"`, one for
        each target and `None` where it is no number, their `"mean"`, in which
        that counts as 0, and `"gains"`, what the scores and then their mean
        are above those without distillation; and `"sources"`, the averages of
        the rows of one source, the best first, which are left out where each
        has one row.
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
        averages = [_average(*item) for item in by_source.items()]
    first = scored[0].results
    return {
        "targets": [result["target"] for result in first],
        "metrics": [result["metric"] for result in first],
        "rows": _best_first(rows),
        "sources": _best_first(averages),
    }


def _average(source, pairs):
    points, gains = np.mean(pairs, axis=0).tolist()
    return {
        "name": source,
        "scores": points[:-1],
        "mean": points[-1],
        "gains": gains,
    }


def _best_first(rows):
    return sorted(rows, key=lambda row: -row["mean"])


def _score(result):
    (metrics,) = result["models"].values()
    score = metrics[result["metric"]]
    return None if score is None or math.isnan(score) else score
