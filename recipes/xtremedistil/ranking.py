"""Scores of students on targets, the best on average first."""

import math


def rank(results, start):
    """Orders rows by their mean over targets.

    Args:
        results: dict of the name of each row to the list of its results, one
            for each target, as `targets.transfer` returns them.
        start: str. What the names of rows without distillation begin with.

    Returns:
        dict that JSON can hold: `"targets"`, a list of names; `"metrics"`,
        that which each is measured by; and `"rows"`, the best first, each
        with `"name"`, `"is_start"`, `"scores"`, one for each target and `None`
        where it is no number, and their `"mean"`, in which that counts as 0.
    """
    first = next(iter(results.values()))
    rows = []
    for name, found in results.items():
        scores = [_score(result) for result in found]
        counted = [score or 0.0 for score in scores]
        rows.append(
            {
                "name": name,
                "is_start": name.startswith(start),
                "scores": scores,
                "mean": sum(counted) / len(counted),
            }
        )
    return {
        "targets": [result["target"] for result in first],
        "metrics": [result["metric"] for result in first],
        "rows": sorted(rows, key=lambda row: -row["mean"]),
    }


def _score(result):
    (metrics,) = result["models"].values()
    score = metrics[result["metric"]]
    return None if score is None or math.isnan(score) else score
