import math

import pytest

from keras_distill.evaluation import figures


def test_every_figure_has_a_unit_and_a_note(make_comparison):
    listed = figures.all_figures(make_comparison().to_dict())
    assert {figure.group for figure in listed} == {"Quality", "Size", "Speed"}
    assert all(figure.unit and figure.note.endswith(".") for figure in listed)


def test_notes_are_numbered_once_and_in_order(make_comparison):
    listed = figures.all_figures(make_comparison().to_dict())
    numbers = figures.note_numbers(listed)
    assert list(numbers.values()) == list(range(1, len(numbers) + 1))
    assert {figure.note for figure in listed} == set(numbers)


def test_regression_agrees_by_correlation(make_comparison):
    comparison = make_comparison(metric="pearson", kind="regression")
    listed = figures.all_figures(comparison.to_dict())
    by_label = {figure.label: figure for figure in listed}
    agreement = by_label["agreement with teacher"]
    assert agreement.unit == "× 100"
    assert "Pearson correlation" in agreement.note
    assert by_label["Pearson correlation"].unit == "× 100"


@pytest.mark.parametrize(
    "metric, name",
    [
        ("accuracy", "accuracy"),
        ("f1", "F1"),
        ("macro_f1", "macro F1"),
        ("matthews", "Matthews correlation"),
        ("exact_match", "exact match"),
    ],
)
def test_metric_name(metric, name):
    assert figures.metric_name(metric) == name


@pytest.mark.parametrize(
    "value, words",
    [
        (0, "0"),
        (999, "999"),
        (612_345, "612.3 k"),
        (999_999, "1.00 M"),
        (10_646_016, "10.65 M"),
        (999_999_999, "1.00 G"),
        (5_385_486_336, "5.39 G"),
    ],
)
def test_count(value, words):
    assert figures.count(value) == words


@pytest.mark.parametrize(
    "seconds, words",
    [
        (0.04, "0.0 s"),
        (8.21, "8.2 s"),
        (59.99, "1 min 0 s"),
        (192.4, "3 min 12 s"),
        (3599.9, "1 h 0 min"),
        (7530, "2 h 5 min"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_duration(seconds, words):
    assert figures.duration(seconds).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    "value, words",
    [
        (0.9832, "98.3"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        ({"mean": 0.9, "sd": 0.0049}, "90.0 ± 0.5"),
        ({"mean": 0.9, "sd": 0.0}, "90.0"),
        ({"mean": 0.9, "sd": None}, "90.0"),
        ({"mean": None, "sd": None}, "–"),
    ],
)
def test_cell(value, words):
    assert figures.cell(value, figures.percent) == words
