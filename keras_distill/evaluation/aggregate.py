"""Mean and standard deviation of a comparison over several seeds."""

import statistics


def aggregate_comparisons(comparisons):
    """Averages comparisons of the same models trained with other seeds.

    Every number becomes `{"mean": ..., "sd": ...}`. The standard deviation is
    that of a sample, `sqrt(sum((x - mean)^2) / (n - 1))`, and `None` for one
    seed. A number that one seed lacks is lacking in the mean too.

    Args:
        comparisons: list of dict, one per seed, as `Comparison.to_dict()`
            returns them.

    Returns:
        List of dict, one per model, with the keys of the comparisons' rows
        and `"seeds"`, the number of comparisons.

    Raises:
        ValueError: if `comparisons` is empty or they differ in task, models
            or size of the dev split.

    Example:

    >>> from keras_distill import evaluation
    >>> seeds = [
    ...     {
    ...         "task": "sst2",
    ...         "num_examples": 872,
    ...         "rows": [{"name": "student", "metrics": {"accuracy": value}}],
    ...     }
    ...     for value in (0.5, 0.75)
    ... ]
    >>> (row,) = evaluation.aggregate_comparisons(seeds)
    >>> row["metrics"]["accuracy"]["mean"]
    0.625
    """
    if not comparisons:
        raise ValueError(
            "`comparisons` must hold at least one comparison. Received: none."
        )
    first, *others = comparisons
    for other in others:
        if _identity(other) != _identity(first):
            raise ValueError(
                "`comparisons` must agree in task, models and number of "
                f"examples. Received: {_identity(first)} and "
                f"{_identity(other)}"
            )
    return [
        {
            "name": rows[0]["name"],
            "seeds": len(rows),
            **_aggregate(
                [_without_name(row) for row in rows],
            ),
        }
        for rows in zip(*(each["rows"] for each in comparisons), strict=True)
    ]


def _identity(comparison):
    names = [row["name"] for row in comparison["rows"]]
    return comparison["task"], names, comparison["num_examples"]


def _without_name(row):
    return {key: value for key, value in row.items() if key != "name"}


def _aggregate(values):
    if isinstance(values[0], dict):
        return {
            key: _aggregate([value[key] for value in values])
            for key in values[0]
        }
    if None in values:
        return {"mean": None, "sd": None}
    return {
        "mean": statistics.fmean(values),
        "sd": statistics.stdev(values) if len(values) > 1 else None,
    }
