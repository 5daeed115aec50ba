"""Each family's student answers from a SavedModel as it was trained."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow("writes a SavedModel")

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    from keras_distill import export
    from keras_distill.export.interface import Interface

from keras_distill import tasks  # noqa: E402

FIRST = ["don't watch the film", "", "</s> <mask> 1234 " * 9, "good"]
SECOND = ["a dull plot", "good", "an actor", "and " * 30]
NEW_PROCESS = """
import json, sys
import tensorflow as tf
import tensorflow_text

answers = []
for path in sys.argv[2:]:
    served = tf.saved_model.load(path)
    first, second = map(tf.constant, json.loads(sys.argv[1]))
    answer = served.signatures["serving_default"](first=first, second=second)
    answers.append(answer["probabilities"].numpy().tolist())
assert "keras_hub" not in sys.modules and "keras_distill" not in sys.modules
print(json.dumps(answers))
"""


def spread_weights(classifier):
    random = np.random.default_rng(3)
    for weight in classifier.weights:
        if len(weight.shape) > 1:
            weight.assign(random.normal(size=weight.shape, scale=0.4))


def test_pairs_in_a_new_process_are_those_of_the_training(
    make_family, tmp_path
):
    expected, paths = [], []
    for family in ("roberta", "xlm_roberta"):
        classifier = make_family(family, sequence_length=24)
        spread_weights(classifier)
        examples = tasks.Examples((FIRST, SECOND))
        for source, length in (
            (classifier.preprocessor, None),
            (classifier.preprocessor.tokenizer, 24),
        ):
            trained = tasks.TokenizedExamples(examples, source, length)
        logits = tasks.predict_logits(classifier, trained)
        expected.append(np.asarray(tf.nn.softmax(logits)))
        paths.append(
            export.to_saved_model(
                classifier,
                tmp_path / family / "1",
                label_names=["no", "yes"],
                text_columns=["first", "second"],
            )
        )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            NEW_PROCESS,
            json.dumps([FIRST, SECOND]),
            *map(str, paths),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = np.array(json.loads(done.stdout.splitlines()[-1]))
    assert np.ptp(found[..., 0], axis=1).min() > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def answers(classifier, texts, **arguments):
    served = Interface.of(classifier, **arguments).served_model(classifier)
    found = served.signatures()["serving_default"](text=tf.constant(texts))
    return {name: value.numpy() for name, value in found.items()}


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
    outputs = classifier.predict(TEXTS, verbose=0)
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
    outputs = classifier.predict(TEXTS, verbose=0)
    np.testing.assert_allclose(
        found["probabilities"], 1 / (1 + np.exp(-outputs)), atol=1e-5
    )
    assert 0 < np.ptp(found["probabilities"])


def test_probabilities_of_a_softmax_are_given_as_they_are(make_family):
    classifier = make_family("bert", activation="softmax", sequence_length=16)
    spread_weights(classifier)
    found = answers(classifier, TEXTS, label_names=["no", "yes"])
    np.testing.assert_allclose(
        found["probabilities"], classifier.predict(TEXTS, verbose=0), atol=1e-5
    )
