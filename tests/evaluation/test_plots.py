import math
from xml.etree import ElementTree

import pytest

from keras_distill.evaluation import plots

HISTORY = {
    "loss": [8.0, 0.5, 0.2],
    "attention_loss": [4.0, 0.2, None],
    "val_loss": [8.5, 0.7, 0.3],
}


def texts(svg):
    return [
        "".join(element.itertext())
        for element in ElementTree.fromstring(svg).iter()
        if element.tag.endswith("}text")
    ]


def test_quality_plots_name_models_and_axes(make_comparison):
    comparison = make_comparison()
    latency = texts(plots.quality_against_latency(comparison))
    assert {"teacher", "baseline", "student"} < set(latency)
    assert {"latency p50 at batch 1, ms", "accuracy, %"} < set(latency)
    size = texts(plots.quality_against_size(comparison))
    assert {"encoder weights, millions", "accuracy, %"} < set(size)


def test_curves_name_each_term():
    found = texts(plots.curves(HISTORY, list(HISTORY), "loss", "a"))
    assert {"loss", "attention loss", "loss, dev", "epoch"} < set(found)


def test_validation_is_dashed_in_its_terms_colour():
    svg = plots.curves(HISTORY, ["loss", "val_loss"], "loss", "a")
    dashed = [line for line in svg.splitlines() if "stroke-dasharray" in line]
    assert dashed and all(plots.COLORS[0] in line for line in dashed)


def test_text_takes_the_colour_of_the_page():
    svg = plots.curves(HISTORY, ["loss"], "loss", "a")
    assert "currentColor" in svg
    assert plots.INK not in svg


def test_same_numbers_same_bytes_and_ids_apart():
    first, again, other = (
        plots.curves(HISTORY, ["loss"], "loss", prefix)
        for prefix in ("a", "a", "b")
    )
    assert first == again
    ids = [
        {e.get("id") for e in ElementTree.fromstring(svg).iter()} - {None}
        for svg in (first, other)
    ]
    assert ids[0] and not ids[0] & ids[1]


def test_references_inside_a_plot_resolve():
    svg = plots.curves(HISTORY, list(HISTORY), "loss", "a")
    root = ElementTree.fromstring(svg)
    ids = {element.get("id") for element in root.iter()}
    used = [
        element.get("{http://www.w3.org/1999/xlink}href")
        for element in root.iter()
        if element.tag.endswith("}use")
    ]
    assert used and all(reference[1:] in ids for reference in used)


@pytest.mark.parametrize(
    "values", [[math.nan, math.nan], [None], [0.0, 0.0], []]
)
def test_curves_without_a_number_are_drawn_empty(values):
    svg = plots.curves({"loss": values}, ["loss"], "loss", "a")
    assert "loss" in texts(svg)


def test_names_are_not_formulas():
    history = {"$x^{_loss": [1.0]}
    svg = plots.curves(history, ["$x^{_loss"], "loss", "a")
    assert "$x^{ loss" in texts(svg)
