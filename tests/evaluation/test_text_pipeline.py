import keras
import numpy as np
import pytest

from keras_distill.evaluation.text_pipeline import make_text_pipeline

TEXTS = ["a film", "the plot is bad and dull and sad", "great", "it was fun"]


def tokenize(pipeline, *columns):
    return pipeline.tokenize(pipeline.texts(columns))


def padded(length):
    """The length of a batch whose longest text has so many tokens."""
    return -(-length // 8) * 8 if keras.backend.backend() == "jax" else length


def test_pads_to_the_longest_text(make_classifier):
    pipeline = make_text_pipeline(make_classifier(num_layers=1), num_texts=1)
    features = tokenize(pipeline, TEXTS[:1])
    # [CLS] a film [SEP]
    assert features["token_ids"].shape == (1, padded(4))
    mask = keras.ops.convert_to_numpy(features["padding_mask"])
    assert mask.sum() == 4
    features = tokenize(pipeline, TEXTS[:2])
    assert features["token_ids"].shape == (2, padded(10))
    assert all(value.dtype == "int32" for value in features.values())


@pytest.mark.tensorflow("It traces functions.")
def test_no_text_makes_a_step_trace_again(make_classifier):
    pipeline = make_text_pipeline(make_classifier(num_layers=1), num_texts=1)
    for texts in (TEXTS[:1], TEXTS[1:2], TEXTS):
        pipeline.forward(tokenize(pipeline, texts))
    assert pipeline.tokenize.experimental_get_tracing_count() == 1
    assert pipeline.forward.experimental_get_tracing_count() == 1


def test_cuts_at_the_models_own_sequence_length(make_classifier):
    model = make_classifier(num_layers=1, sequence_length=6)
    features = tokenize(make_text_pipeline(model, 1), TEXTS)
    assert features["token_ids"].shape == (4, 6)


def test_two_texts_are_two_segments(make_classifier):
    pipeline = make_text_pipeline(make_classifier(num_layers=1), num_texts=2)
    features = tokenize(pipeline, ["a film"], ["great"])
    np.testing.assert_array_equal(
        features["segment_ids"][:, :6], [[0, 0, 0, 0, 1, 1]]
    )
