"""MT-DNN's head as a KerasHub text classifier of pairs."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import export
from keras_distill import losses
from keras_distill import students
from keras_distill import tasks
from keras_distill.features import FeatureExtractor
from keras_distill.features import describe
from keras_distill.models import StochasticAnswerClassifier
from keras_distill.teachers import load_teacher

NLI = tasks.ClassificationTask(
    "nli", ("premise", "hypothesis"), tuple("abc"), ("accuracy",), 16
)
PAIRS = (["a good plot", "the film is bad", "dull"], ["dull", "a plot", ""])
SIZES = {
    "num_layers": 1,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": 16,
}
# To compile takes longer than a step.
EAGERLY = keras.backend.backend() == "tensorflow"


@pytest.fixture(scope="module")
def model(tokenizer):
    keras.utils.set_random_seed(7)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size(), dropout=0.0, **SIZES
    )
    model = StochasticAnswerClassifier(
        backbone,
        3,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
        num_turns=3,
        dropout=0.2,
        prediction_dropout=0.3,
    )
    generator = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(generator.normal(0.0, 0.5, weight.shape))
    return model


@pytest.fixture
def batch():
    """Pairs: of 3 and 2 tokens, of 2 and 1, with the special ones."""
    return {
        "token_ids": np.array(
            [[2, 7, 8, 9, 3, 11, 12, 3], [2, 7, 8, 3, 10, 3, 0, 0]]
        ),
        "segment_ids": np.array(
            [[0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1, 0, 0]]
        ),
        "padding_mask": np.array([[1] * 8, [1] * 6 + [0] * 2]),
    }


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def assert_same_outputs(model, other, batch):
    np.testing.assert_allclose(
        as_array(model(batch)), as_array(other(batch)), rtol=0, atol=1e-5
    )


def test_the_head_reads_both_texts_of_one_encoder_output(model, batch):
    states = model.backbone(batch)["sequence_output"]
    first = batch["padding_mask"] * (1 - batch["segment_ids"])
    expected = model.answer_head(states, first, batch["segment_ids"])
    assert_same_outputs(model, lambda _: expected, batch)
    np.testing.assert_allclose(
        np.exp(as_array(expected)).sum(axis=1), 1, rtol=0, atol=1e-5
    )


def test_what_feeds_nothing_is_not_trained(model):
    pooler = {id(v) for v in model.backbone.pooled_dense.variables}
    assert not pooler & {id(v) for v in model.trainable_variables}


def test_features_are_seen_and_outputs_are_logits(model, batch):
    description = describe(model)
    assert description.output_activations == {"logits": None}
    extractor = FeatureExtractor(model, ["logits", "hidden_states.1"])
    found = extractor(batch)
    assert_same_outputs(model, lambda _: found["logits"], batch)


def test_raw_pairs_are_predicted_and_single_texts_refused(model, all_eager):
    found = NLI.predict(model, NLI.tokenize(PAIRS, model.preprocessor))
    np.testing.assert_allclose(
        model.predict(PAIRS, verbose=0), found, rtol=0, atol=1e-5
    )
    message = "StochasticAnswerClassifier takes pairs"
    for single in (PAIRS[0], np.array(PAIRS[0]), PAIRS[0][:2], (PAIRS[0],)):
        with pytest.raises(ValueError, match=message):
            model.preprocess_samples(single)
    with pytest.raises(ValueError, match=message):
        model.predict(PAIRS[0], verbose=0)


def test_a_task_of_single_texts_is_refused(model):
    NLI.check_model(model)
    films = tasks.ClassificationTask(
        "films", ("text",), tuple("abc"), ("accuracy",), 16
    )
    with pytest.raises(ValueError, match="one text.*films.*pairs"):
        films.check_model(model)


def test_a_keras_file_gives_it_back(model, batch, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is StochasticAnswerClassifier
    assert loaded.get_config() == model.get_config()
    assert_same_outputs(model, loaded, batch)


def test_a_preset_gives_it_back(model, batch, tmp_path):
    folder = export.to_preset(model, tmp_path / "preset", list("abc"))
    loaded = StochasticAnswerClassifier.from_preset(folder)
    assert loaded.num_turns == 3
    assert_same_outputs(model, loaded, batch)
    # What it says of itself.
    code = (folder / "README.md").read_text("utf-8").split("```")[1]
    assert "keras_distill.models.StochasticAnswerClassifier.from_preset" in code
    assert '(["A text."], ["A second."])' in code
    teacher = load_teacher(folder, 3, 12)
    assert teacher.has_head
    assert teacher.label_names == ("a", "b", "c")
    assert_same_outputs(model, teacher.classifier, batch)
    # A new head of another number of classes on the same encoder.
    fresh = StochasticAnswerClassifier.from_preset(folder, num_classes=2)
    assert fresh.num_classes == 2
    np.testing.assert_array_equal(
        as_array(fresh.backbone.weights[0]),
        as_array(model.backbone.weights[0]),
    )


def test_students_have_the_same_head(model):
    sizes = {"num_layers": 1, "num_heads": 2, "hidden_dim": 4}
    for student in (
        students.create_student(model, intermediate_dim=8, **sizes),
        students.create_mobilebert_student(
            model, intra_dim=2, intermediate_dim=3, embedding_dim=3, **sizes
        ),
    ):
        assert type(student) is StochasticAnswerClassifier
        assert (student.num_turns, student.num_classes) == (3, 3)
        assert student.output_shape == (None, 3)


def test_a_distiller_takes_it_as_teacher_and_trains_all_of_it(model, batch):
    student = students.create_student(model, hidden_dim=4, num_heads=2)
    distiller = Distiller(model, student, [losses.LogitsDistillation()])
    distiller.compile(
        optimizer=keras.optimizers.SGD(1.0),
        loss=NLI.label_loss(),
        run_eagerly=EAGERLY,
    )
    head = student.answer_head
    before = [np.array(as_array(v)) for v in head.trainable_variables]
    loss = distiller.train_on_batch(batch, np.array([0, 2]))
    assert np.isfinite(loss).all()
    same = [
        variable.path
        for variable, was in zip(head.trainable_variables, before, strict=True)
        if np.array_equal(as_array(variable), was)
    ]
    # A bias of scores changes no softmax.
    assert all("summary/bias" in path for path in same)


def test_it_is_unfrozen_from_the_whole_head_down(model):
    parts = students.unfreezing(model)
    assert [name for name, _ in parts] == ["head", "layer.1", "embeddings"]
    assert parts[0][1] == [model.answer_head]


def test_texts_are_told_apart_by_separators_where_there_are_no_segments(batch):
    """As RoBERTa has them: two between the texts, 2 closes the second."""
    backbone = keras_hub.models.RobertaBackbone(vocabulary_size=20, **SIZES)
    model = StochasticAnswerClassifier(backbone, 3, separator=(2, 2))
    rows = {
        "token_ids": np.array(
            [[0, 5, 6, 2, 2, 7, 8, 2], [0, 5, 2, 2, 7, 2, 1, 1]]
        ),
        "padding_mask": np.array([[1] * 8, [1] * 6 + [0] * 2]),
    }
    first = np.array([[1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0]])
    second = rows["padding_mask"] - first
    expected = model.answer_head(backbone(rows), first, second)
    assert_same_outputs(model, lambda _: expected, rows)
    assert model.get_config()["separator"] == (2, 2)


def test_what_cannot_tell_texts_apart_is_refused():
    backbone = keras_hub.models.RobertaBackbone(vocabulary_size=20, **SIZES)
    with pytest.raises(ValueError, match="`separator` is missing"):
        StochasticAnswerClassifier(backbone, 3)


def test_what_gives_no_states_is_refused():
    inputs = keras.Input((4,))
    backbone = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match="`backbone` must give hidden states"):
        StochasticAnswerClassifier(backbone, 3)
