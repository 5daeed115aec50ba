"""Which kind of task labels show, and which labels show none."""

import pytest

from keras_distill.tasks.kind_of_labels import kind_of_labels
from keras_distill.tasks.kind_of_labels import names_of_classes


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (["ham", "spam"] * 3, "classification"),
        (["ham", "spam", "spam"], "classification"),
        (["false", "true"], "classification"),
        (["0", "1", "1"], "classification"),
        (["1.0", "0.0"], "classification"),
        (["2", "1", "0"], "classification"),
        (["4", "2"], "classification"),
        # A number among words is a word.
        (["good", "3", "good", "3"], "classification"),
        (["0.5", "1", "2.25", "1"], "regression"),
        (["1e-3", "2"], "regression"),
        ([["a", "b"], [], ["b"]], "multi_label"),
    ],
)
def test_plain_labels(labels, kind):
    assert kind_of_labels(labels, "y") == kind


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            list("012345"),
            "'y' holds .* numbers 0, 1, 2, 3, 4 and 1 more",
        ),
        (["1", "2", "3"] * 9, 'may be classes or scores. Pass `kind="class'),
        (["0", "5", "10"], "may be .*--kind regression"),
        (["spam"] * 4, "one label only, 'spam', in 4 rows.*--kind"),
        (list("abcdef"), "6 different labels in 6 rows.*--kind classification"),
        (["a", "b", "a|b", "a"], "'a|b'.*--label-separator"),
        (["a", "b, a", "b", "a"], '`label_separator=","`.*--kind classif'),
        ([["a"], "b"], "a list in each row, or in none. Received: 'b'"),
    ],
)
def test_labels_that_may_be_meant_so_or_so(labels, message):
    with pytest.raises(ValueError, match=message):
        kind_of_labels(labels, "y")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["spam", "ham", "spam"], ("ham", "spam")),
        (["10", "9", "-2"], ("-2", "9", "10")),
        (["1.0", "0.0", "1"], ("0", "1")),
        (["true", "false"], ("false", "true")),
        ([["b", "a"], [], ["c", "a"]], ("a", "b", "c")),
    ],
)
def test_names_have_one_order(labels, names):
    assert names_of_classes(labels) == names
    assert names_of_classes(labels[::-1]) == names
