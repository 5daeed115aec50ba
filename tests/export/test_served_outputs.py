"""A student's outputs are served as what they are."""

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow("writes a SavedModel")

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    from keras_distill.export.interface import Interface


def spread_weights(classifier):
    random = np.random.default_rng(3)
    for weight in classifier.weights:
        if len(weight.shape) > 1:
            weight.assign(random.normal(size=weight.shape, scale=0.4))


def answers(classifier, texts, **arguments):
    served = Interface.of(classifier, **arguments).served_model(classifier)
    found = served.signatures()["serving_default"](text=tf.constant(texts))
    return {name: value.numpy() for name, value in found.items()}


def outputs_of(classifier, texts):
    return classifier(classifier.preprocessor(texts)).numpy()


LABELS = ["toxic", "rude", "threat"]
TEXTS = ["the film", "a dull plot", "good"]


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_independent_labels_have_probabilities_of_their_own(
    make_family, activation
):
    classifier = make_family(
        "bert", num_classes=3, activation=activation, sequence_length=16
    )
    spread_weights(classifier)
    # Two labels are given at once, which exclusive classes never are.
    classifier.output_dense.bias.assign([3.0, 3.0, -3.0])
    found = answers(
        classifier,
        TEXTS,
        label_names=LABELS,
        multi_label=True if activation is None else None,
    )
    outputs = outputs_of(classifier, TEXTS)
    expected = outputs if activation else 1 / (1 + np.exp(-outputs))
    assert set(found) == {"labels", "probabilities"}
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    assert ((expected >= 0.5).sum(axis=1) > 1).any()
    assert found["labels"].astype(str).tolist() == [
        [name if p >= 0.5 else "" for name, p in zip(LABELS, row, strict=True)]
        for row in expected
    ]


def test_a_single_named_output_has_a_probability(make_family):
    classifier = make_family("bert", num_classes=1, sequence_length=16)
    spread_weights(classifier)
    found = answers(classifier, TEXTS, label_names=["toxic"])
    outputs = outputs_of(classifier, TEXTS)
    np.testing.assert_allclose(
        found["probabilities"], 1 / (1 + np.exp(-outputs)), atol=1e-5
    )
    assert 0 < np.ptp(found["probabilities"])


def test_probabilities_of_a_softmax_are_given_as_they_are(make_family):
    classifier = make_family("bert", activation="softmax", sequence_length=16)
    spread_weights(classifier)
    found = answers(classifier, TEXTS, label_names=["no", "yes"])
    np.testing.assert_allclose(
        found["probabilities"], outputs_of(classifier, TEXTS), atol=1e-5
    )


def test_the_model_is_traced_once_for_both_signatures(make_family, monkeypatch):
    classifier = make_family("bert", sequence_length=16)
    call, calls = classifier.call, []

    def counted(*inputs, **options):
        calls.append(inputs)
        return call(*inputs, **options)

    monkeypatch.setattr(classifier, "call", counted)
    interface = Interface.of(classifier, label_names=["no", "yes"])
    interface.served_model(classifier).signatures()
    assert len(calls) == 1
