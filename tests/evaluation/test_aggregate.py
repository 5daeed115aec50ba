import copy

import pytest

from keras_distill import evaluation
from keras_distill.evaluation import figures


def seeds(comparison, accuracies):
    """Copies of a comparison whose student has other accuracies."""
    found = []
    for accuracy in accuracies:
        one = copy.deepcopy(comparison.to_dict())
        one["rows"][2]["metrics"]["accuracy"] = accuracy
        found.append(one)
    return found


def test_mean_and_sample_deviation_by_hand(make_comparison):
    rows = evaluation.aggregate_comparisons(
        seeds(make_comparison(), [0.82, 0.84, 0.89])
    )
    assert [row["name"] for row in rows] == ["teacher", "baseline", "student"]
    assert rows[2]["seeds"] == 3
    # mean 0.85; squares 0.0009 + 0.0001 + 0.0016 = 0.0026, over 2, root.
    accuracy = rows[2]["metrics"]["accuracy"]
    assert accuracy["mean"] == pytest.approx(0.85)
    assert accuracy["sd"] == pytest.approx(0.0013**0.5)
    encoder = rows[0]["parameters"]["encoder"]
    assert encoder == {"mean": 10_646_016, "sd": 0.0}


def test_table_of_means(make_comparison):
    comparison = make_comparison()
    rows = evaluation.aggregate_comparisons(
        seeds(comparison, [0.82, 0.84, 0.89])
    )
    table = figures.to_markdown(comparison.to_dict(), rows)
    assert "| accuracy, % | 90.0 | 80.0 | 85.0 ± 3.6 |" in table
    assert "| all weights, count | 22.71 M | 4.75 M | 4.75 M |" in table


def test_one_seed_has_no_deviation(make_comparison):
    rows = evaluation.aggregate_comparisons([make_comparison().to_dict()])
    assert rows[2]["metrics"]["accuracy"] == {"mean": 0.882, "sd": None}


def test_what_one_seed_lacks_the_mean_lacks(make_comparison):
    rows = evaluation.aggregate_comparisons(
        seeds(make_comparison(), [0.82, None])
    )
    assert rows[2]["metrics"]["accuracy"] == {"mean": None, "sd": None}


def test_only_like_is_averaged_with_like(make_comparison):
    ours = make_comparison().to_dict()
    theirs = make_comparison(names=("teacher", "student", "other")).to_dict()
    with pytest.raises(ValueError, match="must agree in task, models"):
        evaluation.aggregate_comparisons([ours, theirs])
    with pytest.raises(ValueError, match="at least one comparison"):
        evaluation.aggregate_comparisons([])
