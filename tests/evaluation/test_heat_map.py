"""A table of scores as a picture."""

import numpy as np

from keras_distill.evaluation import heat_map


def draw(gains, **options):
    figure = heat_map(
        ["first", "second", "all $x$"],
        ["one", "mean"],
        np.array(gains),
        [["1", "2"], ["3", "4"], ["5", "6"]],
        "points",
        **options,
    )
    return figure.axes


def test_cells_say_their_texts_and_colours_are_gains():
    axes, colours = draw([[2.0, -4.0], [0.0, 1.0], [0.0, 0.0]])
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array()[0], [2, -4])
    # As much of a gain is as strong as of a loss.
    assert image.get_clim() == (-4, 4)
    assert [text.get_text() for text in axes.texts] == list("123456")
    # Readable on the darkest.
    assert [text.get_color() for text in axes.texts[:2]] == ["black", "white"]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "first",
        "second",
        "all $x$",
    ]
    assert colours.get_ylabel() == "points"
    assert not axes.lines


def test_small_gains_look_small():
    axes, _ = draw(np.full((3, 2), 0.1))
    assert axes.images[0].get_clim() == (-1, 1)


def test_last_rows_and_columns_stand_apart():
    axes, _ = draw(np.zeros((3, 2)), last_rows=1, last_columns=1)
    column, row = axes.lines
    assert list(column.get_xdata()) == [0.5, 0.5]
    assert list(row.get_ydata()) == [1.5, 1.5]
