import keras
import numpy as np
import tensorflow as tf

from keras_distill.evaluation.text_pipeline import TextPipeline
from keras_distill.evaluation.text_pipeline import predict

TEXTS = ["a film", "the plot is bad and dull and sad", "great", "it was fun"]


def test_pads_to_the_longest_text_without_tracing_again(make_classifier):
    pipeline = TextPipeline(make_classifier(num_layers=1), num_texts=1)
    features = pipeline.tokenize((tf.constant(TEXTS[:1]),))
    # [CLS] a film [SEP]
    assert features["token_ids"].shape == (1, 4)
    np.testing.assert_array_equal(features["padding_mask"], [[1, 1, 1, 1]])
    features = pipeline.tokenize((tf.constant(TEXTS[:2]),))
    assert features["token_ids"].shape == (2, 10)
    assert all(value.dtype == "int32" for value in features.values())
    # No text makes either step trace again.
    for texts in (TEXTS[:1], TEXTS[1:2], TEXTS):
        pipeline.forward(pipeline.tokenize((tf.constant(texts),)))
    assert pipeline.tokenize.experimental_get_tracing_count() == 1
    assert pipeline.forward.experimental_get_tracing_count() == 1


def test_cuts_at_the_models_own_sequence_length(make_classifier):
    model = make_classifier(num_layers=1, sequence_length=6)
    features = TextPipeline(model, 1).tokenize((tf.constant(TEXTS),))
    assert features["token_ids"].shape == (4, 6)


def test_two_texts_are_two_segments(make_classifier):
    pipeline = TextPipeline(make_classifier(num_layers=1), num_texts=2)
    texts = (tf.constant(["a film"]), tf.constant(["great"]))
    features = pipeline.tokenize(texts)
    np.testing.assert_array_equal(features["segment_ids"], [[0, 0, 0, 0, 1, 1]])


def test_predict_keeps_the_order(make_classifier):
    model = make_classifier(num_layers=1)
    pipeline = TextPipeline(model, 1)
    padded = model.preprocessor(np.array(TEXTS))
    expected = keras.ops.convert_to_numpy(model(padded, training=False))
    for batch_size, num_batches in ((1, 4), (3, 2), (8, 1)):
        advanced = []
        outputs = predict(
            pipeline, (TEXTS,), batch_size, lambda seen=advanced: seen.append(1)
        )
        np.testing.assert_allclose(outputs, expected, atol=1e-5)
        assert len(advanced) == num_batches
