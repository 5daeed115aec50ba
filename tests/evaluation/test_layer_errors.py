"""What of a layer's error came from below, on tiny models."""

import numpy as np
import pytest

from keras_distill import tasks
from keras_distill.evaluation import layer_errors

pytestmark = pytest.mark.usefixtures("all_eager")


@pytest.fixture
def examples(tokenizer):
    generator = np.random.default_rng(3)
    words = tokenizer.get_vocabulary()[5:]
    texts = [" ".join(generator.choice(words, 8)) for _ in range(60)]
    rows = tasks.Examples((texts,))
    return tasks.TokenizedExamples(rows, tokenizer, sequence_length=10)


def test_a_copy_of_the_teacher_has_no_error(make_classifier, examples):
    teacher, student = make_classifier(2), make_classifier(2)
    student.set_weights(teacher.get_weights())
    found = layer_errors(teacher, student, examples, examples)
    assert [layer["layer"] for layer in found] == [1, 2]
    for layer in found:
        for kind in ("error", "error_of_its_own", "from_below"):
            assert abs(layer[kind]) < 1e-4


def test_a_layer_is_not_to_blame_for_those_below(make_classifier, examples):
    teacher, student = make_classifier(2), make_classifier(2)
    student.set_weights(teacher.get_weights())
    # All words are one to the student: what it makes of them is the same.
    words = student.backbone.token_embedding.embeddings
    words.assign(np.ones(words.shape))
    found = layer_errors(teacher, student, examples, examples)
    # Nothing of a single word is left to any layer.
    assert all(layer["error"] > 0.3 for layer in found)

    student.set_weights(teacher.get_weights())
    # The first layer alone is spoilt.
    weights = student.backbone.transformer_layers[0]
    generator = np.random.default_rng(5)
    weights.set_weights(
        [
            generator.normal(0, 1, weight.shape).astype("float32")
            for weight in weights.get_weights()
        ]
    )
    first, second = layer_errors(teacher, student, examples, examples)
    assert abs(first["from_below"]) < 1e-4 < first["error_of_its_own"]
    assert second["from_below"] > 0
