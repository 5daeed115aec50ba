"""Facts about the recurrent student."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import layer_map
from keras_distill import losses
from keras_distill.export import to_preset
from keras_distill.features import FeatureExtractor
from keras_distill.features import describe
from keras_distill.models import BiLstmBackbone
from keras_distill.models import BiLstmEncoder
from keras_distill.models import BiLstmTextClassifier

TEXTS = ["a good film", "the plot is bad and the ending is dull"]
SIZE = dict(vocabulary_size=27, embedding_dim=4, lstm_dim=3)


@pytest.fixture
def make_backbone():
    def make(**words):
        return BiLstmBackbone(**{**SIZE, **words})

    return make


@pytest.fixture
def make_bilstm(make_backbone, tokenizer):
    def make(num_classes=2, **words):
        return BiLstmTextClassifier(
            make_backbone(**words),
            num_classes=num_classes,
            preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
                tokenizer, sequence_length=16
            ),
        )

    return make


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_in_numpy(x, kernel, recurrent_kernel, bias):
    """Hidden states of one sequence `(L, E)`."""
    width = len(recurrent_kernel)
    hidden = cell = np.zeros(width)
    states = []
    for step in x:
        gates = step @ kernel + hidden @ recurrent_kernel + bias
        i, f, c, o = np.split(gates, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
        states.append(hidden)
    return np.array(states)


def bilstm_in_numpy(encoder, x):
    forward, backward = (
        [np.array(weight, "float64") for weight in layer.weights[:3]]
        for layer in (
            encoder.bilstm.forward_layer,
            encoder.bilstm.backward_layer,
        )
    )
    return np.concatenate(
        [lstm_in_numpy(x, *forward), lstm_in_numpy(x[::-1], *backward)[::-1]],
        axis=-1,
    )


def test_states_are_those_of_each_text_alone(make_backbone, token_batch, run):
    backbone = make_backbone()
    table = np.array(backbone.token_embedding.embeddings)
    outputs = run(backbone, token_batch)
    for row, length in enumerate((6, 3, 5, 2)):
        x = table[token_batch["token_ids"][row, :length]]
        expected = bilstm_in_numpy(backbone.encoder, x)
        states = outputs["sequence_output"][row, :length]
        np.testing.assert_allclose(states, expected, atol=1e-6)
        np.testing.assert_allclose(
            outputs["pooled_output"][row], expected.mean(axis=0), atol=1e-6
        )


def test_padding_changes_nothing(make_bilstm, token_batch, run):
    model = make_bilstm(projection_dim=8)
    longer = {
        name: np.pad(value, [(0, 0), (0, 4)])
        for name, value in token_batch.items()
    }
    # Whatever stands there.
    longer["token_ids"] += 7 * (1 - longer["padding_mask"])
    np.testing.assert_allclose(
        run(model, token_batch), run(model, longer), atol=1e-6
    )
    # Without a real token all is finite as well.
    empty = {name: 0 * value for name, value in token_batch.items()}
    assert np.isfinite(run(model, empty)).all()


def test_projection_is_a_gelu(make_backbone, token_batch, run):
    plain = make_backbone()
    projected = make_backbone(projection_dim=8)
    *lstm, kernel, bias = projected.get_weights()
    bias = np.linspace(-1, 1, 8, dtype="float32")
    plain.set_weights(lstm)
    projected.set_weights([*lstm, kernel, bias])
    states = run(plain, token_batch)["sequence_output"]
    expected = keras.ops.convert_to_numpy(
        keras.ops.gelu(states @ kernel + bias, approximate=False)
    )
    np.testing.assert_allclose(
        run(projected, token_batch)["sequence_output"], expected, atol=1e-6
    )
    assert projected.hidden_dim == 8
    assert plain.hidden_dim == 6


def test_first_token_pooling(make_backbone, token_batch, run):
    outputs = run(make_backbone(pooling="first_token"), token_batch)
    np.testing.assert_array_equal(
        outputs["pooled_output"], outputs["sequence_output"][:, 0]
    )


def test_dropout_is_on_in_training_only(make_backbone, token_batch, run):
    backbone = make_backbone(dropout=0.5, recurrent_dropout=0.5)
    state = [np.array(v) for v in backbone.non_trainable_variables]
    still = [run(backbone, token_batch)["pooled_output"] for _ in "ab"]
    np.testing.assert_array_equal(*still)
    # Inference leaves no trace in the random state either.
    for before, after in zip(
        state, backbone.non_trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(after, before)
    noisy = [
        run(backbone, token_batch, training=True)["pooled_output"] for _ in "ab"
    ]
    assert not np.allclose(*noisy)


@pytest.mark.parametrize("rates", [(0.5, 0.0), (0.0, 0.5)])
def test_each_dropout_has_an_effect(rates, make_backbone, token_batch, run):
    dropout, recurrent_dropout = rates
    backbone = make_backbone(
        dropout=dropout, recurrent_dropout=recurrent_dropout
    )
    noisy = [
        run(backbone, token_batch, training=True)["sequence_output"]
        for _ in "ab"
    ]
    assert not np.allclose(*noisy)


def test_features(make_bilstm, token_batch, run):
    model = make_bilstm(projection_dim=8)
    description = describe(model)
    assert description.num_layers == 1
    assert description.shape("embeddings") == (None, None, 4)
    assert description.shape("hidden_states.1") == (None, None, 8)
    wanted = ["hidden_states", "pooled", "logits", "padding_mask"]
    found = run(FeatureExtractor(model, wanted), token_batch)
    outputs = run(model.backbone, token_batch)
    np.testing.assert_allclose(
        found["hidden_states.1"], outputs["sequence_output"], atol=1e-6
    )
    np.testing.assert_allclose(
        found["pooled"], outputs["pooled_output"], atol=1e-6
    )
    np.testing.assert_allclose(
        found["logits"], run(model, token_batch), atol=1e-6
    )
    np.testing.assert_array_equal(
        found["padding_mask"], token_batch["padding_mask"]
    )
    table = np.array(model.backbone.token_embedding.embeddings)
    np.testing.assert_allclose(
        found["embeddings"], table[token_batch["token_ids"]]
    )


def test_it_has_no_attention(make_bilstm, make_classifier):
    with pytest.raises(ValueError, match="no feature 'attention_scores.1'"):
        Distiller(
            make_classifier(num_layers=1),
            make_bilstm(),
            losses.AttentionDistillation(layer_map.last_layer),
        )


def train(distiller, x, epochs=3):
    # To compile takes longer than a few steps.
    eagerly = keras.backend.backend() == "tensorflow"
    distiller.compile(keras.optimizers.Adam(0.02), run_eagerly=eagerly)
    return distiller.fit(x, epochs=epochs, verbose=0).history


def test_it_learns_the_teachers_representations_and_logits(
    make_bilstm, make_classifier, token_batch
):
    teacher = make_classifier(num_layers=2, num_classes=2)
    # An untrained head says next to nothing.
    head = teacher.output_dense.kernel
    head.assign(50 * head)
    student = make_bilstm(projection_dim=16)
    student.preprocessor = None
    representation = losses.HiddenStatesDistillation(
        layer_map.explicit([(1, 2)]), loss="kl"
    )
    distiller = Distiller(
        teacher,
        student,
        [representation, losses.LogitsDistillation(loss="half_sum_of_squares")],
        student_loss_weight=0,
    )
    # The student's own projection reaches the teacher's width.
    assert distiller.plan() == [
        "student layer 1 <- teacher layer 2 | hidden states, 16 wide, kl, "
        "masked",
        "student logits <- teacher logits | logits, 2 classes, half sum of "
        "squares",
    ]
    distiller.compile(keras.optimizers.Adam(0.02))
    history = distiller.fit(token_batch, epochs=6, verbose=0).history
    for name in ("hidden_states_loss", "logits_loss"):
        assert history[name][-1] < history[name][0]


def test_it_learns_tags_of_tokens(make_backbone, token_batch):
    def tagger(backbone):
        states = backbone(backbone.input)["sequence_output"]
        logits = keras.layers.Dense(3, name="tags")(states)
        return keras.Model(backbone.input, logits)

    bert = keras_hub.models.BertBackbone(
        vocabulary_size=27,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
    )
    student = tagger(make_backbone(dropout=0.0, recurrent_dropout=0.0))
    distiller = Distiller(
        tagger(bert),
        student,
        [
            losses.HiddenStatesDistillation(layer_map.last_layer),
            losses.LogitsDistillation(loss="half_sum_of_squares"),
        ],
        student_loss_weight=0,
    )
    history = train(distiller, token_batch)
    assert history["loss"][-1] < history["loss"][0]
    # Padding has no part in either.
    longer = {
        name: np.pad(value, [(0, 0), (0, 3)])
        for name, value in token_batch.items()
    }
    values = [
        distiller.evaluate(x, verbose=0, return_dict=True)["loss"]
        for x in (token_batch, longer)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_only_what_is_not_frozen_changes(
    make_bilstm, make_classifier, token_batch
):
    """Head, projection, BiLSTM and words can be held one by one."""
    student = make_bilstm(projection_dim=8)
    backbone = student.backbone
    backbone.token_embedding.trainable = False
    backbone.encoder.bilstm.trainable = False
    before = [np.array(weight) for weight in student.weights]
    distiller = Distiller(
        make_classifier(num_layers=1),
        student,
        losses.LogitsDistillation(),
        student_loss_weight=0,
    )
    train(distiller, token_batch, epochs=1)
    changed = {
        weight.path.rpartition("/")[0].rpartition("/")[2]
        for weight, value in zip(student.weights, before, strict=True)
        if not np.array_equal(weight, value)
    }
    assert changed == {"projection", "logits"}


def test_half_precision(token_batch):
    backbone = BiLstmBackbone(**SIZE, projection_dim=8, dtype="mixed_bfloat16")
    outputs = backbone(token_batch, training=True)
    assert keras.backend.standardize_dtype(outputs["pooled_output"].dtype) == (
        "bfloat16"
    )
    assert backbone.encoder.projection.kernel.dtype == "float32"


def test_saved_and_loaded(make_bilstm, answers, tmp_path):
    model = make_bilstm(projection_dim=8, embeddings_trainable=False)
    expected = answers(model, TEXTS)
    model.save(tmp_path / "student.keras")
    loaded = keras.models.load_model(tmp_path / "student.keras", compile=False)
    assert type(loaded) is BiLstmTextClassifier
    assert not loaded.backbone.token_embedding.trainable
    np.testing.assert_array_equal(answers(loaded, TEXTS), expected)
    assert loaded.get_config() == model.get_config()


def test_preset_round_trip(make_bilstm, answers, tmp_path):
    model = make_bilstm()
    expected = answers(model, TEXTS)
    to_preset(model, tmp_path / "preset", ["no", "yes"])
    loaded = keras_hub.models.TextClassifier.from_preset(
        str(tmp_path / "preset")
    )
    assert type(loaded) is BiLstmTextClassifier
    np.testing.assert_array_equal(answers(loaded, TEXTS), expected)


@pytest.mark.tensorflow("SavedModel")
def test_it_is_served_from_raw_text(make_bilstm, answers, tmp_path):
    import tensorflow as tf

    from keras_distill.export import to_saved_model

    model = make_bilstm(projection_dim=8)
    path = to_saved_model(model, tmp_path / "1", label_names=["no", "yes"])
    module = tf.saved_model.load(str(path))
    answer = module.signatures["serving_default"](text=tf.constant(TEXTS))
    expected = tf.nn.softmax(answers(model, TEXTS))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


def test_encoder_config_round_trip():
    encoder = BiLstmEncoder(3, 8, 0.1, 0.3, name="small")
    twin = BiLstmEncoder.from_config(encoder.get_config())
    assert twin.get_config() == encoder.get_config()
