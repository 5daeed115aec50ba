"""Tasks that give every word a tag."""

import pytest

from keras_distill import tasks


def test_wikiann_has_tfds_order_of_tags():
    assert tasks.WIKIANN_TAGS == (
        "O",
        "B-PER",
        "I-PER",
        "B-ORG",
        "I-ORG",
        "B-LOC",
        "I-LOC",
    )
    task = tasks.tagging_task("wikiann", tasks.WIKIANN_TAGS)
    assert task.num_outputs == 7
    assert task.selection_metric == "phrase_f1"


@pytest.mark.parametrize(
    "names",
    [
        ["B-PER", "I-PER"],
        ["O", "PER"],
        ["O", "B-"],
        ["O", "E-PER"],
    ],
)
def test_other_tags_are_refused(names):
    with pytest.raises(ValueError, match="`label_names` must name each tag"):
        tasks.tagging_task("mine", names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["O", "B-PER", "B-PER"], "'B-PER' twice"),
        ({"O", "B-PER"}, "has no order"),
        (["O", None], "name 1 is of type NoneType"),
    ],
)
def test_tags_have_an_order(names, message):
    with pytest.raises(ValueError, match=message):
        tasks.tagging_task("mine", names)
