"""What a student of pre-training takes over outside of its blocks."""

import keras
import numpy as np
import pytest

from keras_distill import models
from keras_distill import students

SIZES = {
    "vocabulary_size": 27,
    "num_layers": 2,
    "num_heads": 2,
    "embedding_dim": 4,
    "hidden_dim": 8,
    "intra_dim": 6,
    "intermediate_dim": 10,
    "max_sequence_length": 16,
}


@pytest.fixture
def make_pretraining(randomize):
    """Builds a tiny model of a named architecture, with weights that differ."""

    def make(name="mobilebert", seed=0, **sizes):
        backbone = models.MobileBertBackbone.from_preset(
            name, load_weights=False, **{**SIZES, **sizes}
        )
        return randomize(models.PretrainingModel(backbone), seed)

    return make


def values_of(model):
    # Copies: PyTorch gives NumPy its own memory.
    return {
        w.path: np.array(keras.ops.convert_to_numpy(w)) for w in model.weights
    }


def outside_of_blocks(values):
    return {path for path in values if "transformer_layer_" not in path}


def test_a_student_has_all_of_its_teacher_but_blocks_norm_and_pooler(
    make_pretraining,
):
    teacher = make_pretraining("ib_bert_large", intra_dim=12)
    student = make_pretraining("mobilebert", seed=1)
    before = values_of(student)
    copied = students.copy_pretraining(teacher, student)
    source, after = values_of(teacher), values_of(student)
    # `NoNorm` is no layer normalization; the student has no pooler.
    kept = {"embeddings_layer_norm/gamma", "embeddings_layer_norm/beta"}
    assert set(copied) == outside_of_blocks(after) - kept
    assert set(copied) >= {
        "token_embedding/embeddings",
        "position_embedding/embeddings",
        "segment_embedding/embeddings",
        "embeddings_projection/kernel",
        "mlm_head/untied_embeddings",
        "mlm_head/intermediate_layer_norm/gamma",
        "next_sentence/kernel",
    }
    for path, value in after.items():
        was = source[path] if path in copied else before[path]
        np.testing.assert_array_equal(value, was, err_msg=path)
    for path in copied:
        assert not np.array_equal(after[path], before[path]), path


def test_models_of_one_kind_share_normalization_and_pooler(make_pretraining):
    teacher = make_pretraining(use_pooler=True, num_layers=1)
    student = make_pretraining(use_pooler=True, num_layers=1, intra_dim=4)
    copied = students.copy_pretraining(teacher, student)
    assert set(copied) == outside_of_blocks(values_of(student))
    assert "embeddings_layer_norm/gamma" in copied


def test_another_width_changes_nothing_and_names_all(make_pretraining):
    teacher = make_pretraining(num_layers=1)
    student = make_pretraining(num_layers=1, hidden_dim=6)
    before = values_of(student)
    with pytest.raises(ValueError) as caught:
        students.copy_pretraining(teacher, student)
    message = str(caught.value)
    assert "`position_embedding/embeddings`: (16, 8) and (16, 6)" in message
    assert "`next_sentence/kernel`: (8, 2) and (6, 2)" in message
    assert "token_embedding" not in message
    for path, value in values_of(student).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)


def test_other_models_are_refused(make_pretraining):
    student = make_pretraining(num_layers=1)
    with pytest.raises(ValueError, match="`teacher` must be a `models.Pretr"):
        students.copy_pretraining(student.backbone, student)
    other = make_pretraining(num_layers=1, vocabulary_size=30)
    with pytest.raises(ValueError, match="has 30 tokens and the student's 27"):
        students.copy_pretraining(other, student)
