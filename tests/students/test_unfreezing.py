"""Which parts of a student are trained one after the other."""

import pytest

from keras_distill import students


@pytest.mark.parametrize(
    "how, names",
    [
        ("encoder", ["head", "projection", "encoder"]),
        (
            "layer",
            ["head", "projection", "layer.2", "layer.1", "embeddings"],
        ),
        ("none", ["all"]),
    ],
)
def test_unfreezing_goes_from_top_to_bottom(make_classifier, how, names):
    student = make_classifier(num_layers=2)
    steps = students.unfreezing(student, how)
    assert [name for name, _ in steps] == names
    assert steps[-1][1] is None
    for (_, before), (_, after) in zip(steps[:-2], steps[1:-1], strict=True):
        assert after[:-1] == before


def test_a_token_classifier_has_no_projection(make_token_classifier):
    steps = students.unfreezing(make_token_classifier(), "encoder")
    assert [name for name, _ in steps] == ["head", "encoder"]
