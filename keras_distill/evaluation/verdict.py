"""What a comparison says in one sentence, computed from its numbers."""

from keras_distill.evaluation import figures


def verdict(comparison, student, baseline):
    """Says in one sentence what was won and lost.

    Args:
        comparison: `Comparison`.
        student: str. Row of the distilled model.
        baseline: str or `None`. Row of the same model trained without a
            teacher; `None` leaves that part out.

    Returns:
        str. Such as "The student keeps 98.3% of the teacher's accuracy with
        17.0 times fewer encoder weights, is 9.1 times faster at batch 1, and
        stands 6.4 points above the same student trained without a teacher."
    """
    ratios = comparison.row(student).ratios
    parts = [
        f"The {student} {_quality(comparison, student)} "
        f"with {_size(ratios.encoder)}",
        f"is {_speed(ratios.latency)} at batch 1",
    ]
    if baseline is None:
        return " and ".join(parts) + "."
    parts.append(f"and {_gain(comparison, student, baseline)}")
    return ", ".join(parts) + "."


def highlights(comparison, student, baseline):
    """Lists the verdict's numbers one by one.

    Args:
        comparison: `Comparison`.
        student: str. Row of the distilled model.
        baseline: str or `None`. Row of the same model without a teacher.

    Returns:
        List of `(number, meaning)`, both str.
    """
    metric = comparison.selection_metric
    name = figures.metric_name(metric)
    row = comparison.row(student)
    found = [
        (
            _with_unit(row.kept[metric]),
            f"of the {comparison.reference}'s {name} kept",
        ),
        _factor(row.ratios.encoder, "fewer", "more", "encoder weights"),
        _factor(row.ratios.latency, "faster", "slower", "at batch 1"),
    ]
    if baseline is not None:
        points = _points(comparison, student, baseline)
        number = (
            figures.DASH
            if figures.is_missing(points)
            # A minus sign, not a hyphen.
            else f"{points:+.1f}".replace("-", "−")
        )
        found.append((number, f"points of {name} over no teacher"))
    return found


def _factor(ratio, better, worse, meaning):
    if ratio >= 1:
        return figures.times(ratio), f"{better} {meaning}"
    return figures.times(1 / ratio), f"{worse} {meaning}"


def _with_unit(kept):
    if figures.is_missing(kept):
        return figures.DASH
    return f"{figures.percent(kept)}%"


def _quality(comparison, student):
    metric = comparison.selection_metric
    name = figures.metric_name(metric)
    row = comparison.row(student)
    kept = row.kept[metric]
    if figures.is_missing(kept):
        theirs = comparison.row(comparison.reference).metrics[metric]
        ours = figures.cell(row.metrics[metric], figures.percent)
        theirs = figures.cell(theirs, figures.percent)
        return (
            f"has a {name} of {ours} where the {comparison.reference} has "
            f"{theirs},"
        )
    verb = "keeps" if kept <= 1 else "reaches"
    return (
        f"{verb} {figures.percent(kept)}% of the "
        f"{comparison.reference}'s {name}"
    )


def _size(ratio):
    if _is_one(ratio):
        return "as many encoder weights"
    if ratio > 1:
        return f"{ratio:.1f} times fewer encoder weights"
    return f"{1 / ratio:.1f} times more encoder weights"


def _speed(ratio):
    if _is_one(ratio):
        return "as fast"
    if ratio > 1:
        return f"{ratio:.1f} times faster"
    return f"{1 / ratio:.1f} times slower"


def _is_one(ratio):
    # Equal as far as the printed decimal tells.
    return 0.95 <= ratio < 1.05


def _points(comparison, student, baseline):
    metric = comparison.selection_metric
    return 100 * (
        comparison.row(student).metrics[metric]
        - comparison.row(baseline).metrics[metric]
    )


def _gain(comparison, student, baseline):
    points = _points(comparison, student, baseline)
    same = f"the same {student} trained without a teacher"
    if figures.is_missing(points):
        return f"cannot be held against {same}"
    if abs(points) < 0.05:
        return f"is level with {same}"
    side = "above" if points > 0 else "below"
    return f"stands {abs(points):.1f} points {side} {same}"
