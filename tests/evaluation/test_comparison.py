import copy
import dataclasses
import io
import json
import math

import pytest
from rich import console

from keras_distill import evaluation
from keras_distill.evaluation import figures


def test_row_by_name(make_comparison):
    comparison = make_comparison()
    assert comparison.row("student") is comparison.rows[2]
    with pytest.raises(ValueError, match="Received: name='expert'"):
        comparison.row("expert")


def test_to_dict_survives_json(make_comparison):
    found = make_comparison().to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["rows"][2]["parameters"]["encoder"] == 626_236
    assert found["rows"][2]["ratios"]["latency"] == 9.1


def test_to_dict_turns_nan_into_none(make_comparison):
    comparison = make_comparison()
    row = dataclasses.replace(comparison.rows[0], agreement=math.nan)
    comparison = dataclasses.replace(comparison, rows=(row,))
    assert comparison.to_dict()["rows"][0]["agreement"] is None


def test_markdown_has_a_model_a_column(make_comparison):
    lines = make_comparison().to_markdown().splitlines()
    assert lines[0] == "| | teacher | baseline | student |"
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    assert "| accuracy, % | 90.0 | 80.0 | 88.2 |" in lines
    assert "| encoder weights, count | 10.65 M | 626.2 k | 626.2 k |" in lines
    assert "| FLOPs of 64 tokens, count | 1.42 G | 79.20 M | 79.20 M |" in lines
    assert "| encoder compression, times | 1.0× | 17.0× | 17.0× |" in lines
    assert "| throughput, batch 32, examples/s | 102 | 698 | 1,708 |" in lines
    assert {line.count("|") for line in lines} == {5}


def test_markdown_shows_a_dash_for_what_is_not_known(make_comparison):
    table = make_comparison(kept=(None, math.nan, 0.98)).to_markdown()
    assert "| kept of teacher's accuracy, % | – | – | 98.0 |" in table


def test_markdown_escapes_pipes_in_names(make_comparison):
    table = make_comparison(names=("a|b", "c", "d")).to_markdown()
    assert "| | a\\|b | c | d |" in table


def test_terminal_table_fits_in_80_columns(make_comparison):
    terminal = console.Console(width=80, file=io.StringIO())
    terminal.print(make_comparison().table())
    text = terminal.file.getvalue()
    assert "reviews, 872 examples" in text
    assert "latency p95, batch 1" in text
    assert "31.00" in text


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
