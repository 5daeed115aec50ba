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
    comparison = make_comparison(metric="pearson", regression=True)
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
