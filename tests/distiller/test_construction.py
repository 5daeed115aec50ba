"""What a distiller refuses, and which losses and models it takes."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import Distiller
from keras_distill import layer_map
from keras_distill import losses


@pytest.fixture
def logits():
    return losses.LogitsDistillation()


def test_tokens_of_tokenizers_that_differ_are_not_compared(make_classifier):
    teacher = make_classifier(num_layers=1)
    words = list(teacher.preprocessor.tokenizer.get_vocabulary())
    words[6], words[7] = words[7], words[6]
    student = keras_hub.models.BertTextClassifier(
        make_classifier(num_layers=1).backbone,
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            keras_hub.models.BertTokenizer(vocabulary=words, lowercase=True)
        ),
    )
    with pytest.raises(
        ValueError, match="token 6 is 'the' to the teacher and 'film'"
    ):
        Distiller(teacher, student, losses.HiddenStatesDistillation())
    # By raw text each reads its own ids, and outputs can be compared.
    Distiller(teacher, student, losses.LogitsDistillation())


def test_vocabularies_of_other_sizes_are_refused(make_classifier, logits):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=40,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
    )
    student = keras_hub.models.BertTextClassifier(backbone, num_classes=2)
    with pytest.raises(ValueError, match="has 27 tokens and the student's 40"):
        Distiller(make_classifier(num_layers=1), student, logits)


def test_shared_trainable_weights_are_refused(make_dense, logits):
    teacher = make_dense()
    student = keras.Model(
        teacher.input,
        keras.layers.Dense(3)(teacher.get_layer("hidden").output),
    )
    with pytest.raises(ValueError, match="shares trainable weights.*hidden/"):
        Distiller(teacher, student, logits)
    with pytest.raises(ValueError, match="shares trainable weights"):
        Distiller(teacher, teacher, logits)


def test_a_model_that_is_not_built_is_refused(make_dense, logits):
    unbuilt = keras.Sequential([keras.layers.Dense(3)], name="empty")
    with pytest.raises(ValueError, match="`student` must be built.*'empty'"):
        Distiller(make_dense(), unbuilt, logits)
    with pytest.raises(ValueError, match="`teacher` must be built.*'empty'"):
        Distiller(unbuilt, make_dense(), logits)


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_only_models_are_taken(make_dense, logits, role):
    models = {"teacher": make_dense(), "student": make_dense()}
    models[role] = keras.layers.Dense(3)
    with pytest.raises(ValueError, match=f"`{role}` must be a keras.Model"):
        Distiller(distillation_losses=logits, **models)


@pytest.mark.parametrize("weight", [-0.1, 1.5, "0.5", None, float("nan")])
def test_student_loss_weight_is_a_share(make_dense, logits, weight):
    with pytest.raises(ValueError, match="from 0 to 1. Received"):
        Distiller(
            make_dense(), make_dense(), logits, student_loss_weight=weight
        )


@pytest.mark.parametrize("weights", [[1.0], [1.0, 2.0, 3.0]])
def test_there_is_one_weight_for_each_loss(make_dense, logits, weights):
    with pytest.raises(
        ValueError, match=f"2 distillation losses. Received: {len(weights)}"
    ):
        Distiller(make_dense(), make_dense(), [logits, logits], weights)


@pytest.mark.parametrize("wrong", [None, [], "kl_divergence", ["mse"]])
def test_losses_must_be_losses(make_dense, wrong):
    with pytest.raises(ValueError, match="`distillation_losses` must hold"):
        Distiller(make_dense(), make_dense(), wrong)


@pytest.mark.parametrize(
    ("student_words", "loss", "message"),
    [
        (
            {"num_layers": 3},
            losses.HiddenStatesDistillation(),
            "3 student layers and 2 teacher layers",
        ),
        (
            {"num_heads": 4, "num_layers": 1},
            losses.AttentionDistillation(),
            "with 2 heads and a student with 4",
        ),
        ({"num_classes": 3}, losses.LogitsDistillation(), "same number"),
        (
            {"hidden_dim": 8},
            losses.HiddenStatesDistillation(projection=None),
            "projection=None",
        ),
        (
            {},
            losses.HiddenStatesDistillation(layer_map.explicit({1: 9})),
            "names teacher layer 9",
        ),
        (
            {},
            losses.FeatureDistillation("nowhere", "pooled_dense"),
            "has no feature 'layer.",
        ),
    ],
)
def test_losses_that_do_not_fit_are_refused_at_construction(
    make_classifier, student_words, loss, message
):
    teacher = make_classifier(num_layers=2)
    student = make_classifier(**{"num_layers": 2, **student_words})
    with pytest.raises(ValueError, match=message):
        Distiller(teacher, student, loss)


def test_one_name_for_two_widths_of_projection_is_refused(make_dense):
    loss = losses.FeatureDistillation("hidden", "hidden", name="same")
    other = losses.FeatureDistillation("head", "hidden", name="same")
    with pytest.raises(ValueError, match="8 -> 16 and 3 -> 16"):
        Distiller(make_dense(16), make_dense(8), [loss, other])


def test_inputs_that_a_model_does_not_know_are_left_out(
    make_classifier, token_batch, logits, cross_entropy
):
    x, y = token_batch
    distiller = Distiller(
        make_classifier(num_layers=1),
        make_classifier(num_layers=1, hidden_dim=8),
        logits,
    )
    distiller.compile("sgd", cross_entropy)
    extra = {**x, "row": np.arange(4)}
    assert distiller.compute_loss(extra, y) == distiller.compute_loss(x, y)
    with_extra, without = (
        keras.ops.convert_to_numpy(distiller(each)) for each in (extra, x)
    )
    np.testing.assert_array_equal(with_extra, without)
    del extra["padding_mask"]
    with pytest.raises(ValueError, match="missing: padding_mask"):
        distiller(extra)


def test_losses_of_keras_are_taken_and_mean_what_they_say(
    make_distiller, make_dense, batch
):
    x, y = batch
    teacher, student = make_dense(8), make_dense(8)
    theirs = make_distiller(
        teacher,
        student,
        [
            keras.distillation.LogitsDistillation(temperature=2.0),
            keras.distillation.FeatureDistillation(
                loss="mse",
                teacher_layer_name="hidden",
                student_layer_name="hidden",
            ),
        ],
    )
    ours = make_distiller(
        teacher,
        student,
        [
            losses.LogitsDistillation(temperature=2.0),
            losses.FeatureDistillation("hidden", "hidden"),
        ],
    )
    logs = theirs.evaluate(x, y, verbose=0, return_dict=True)
    assert logs == ours.evaluate(x, y, verbose=0, return_dict=True)
    assert set(logs) == {"loss", "student_loss", "logits_loss", "hidden_loss"}


def test_a_users_own_loss_of_keras_is_called_as_it_is(make_distiller, batch):
    class Gap(keras.distillation.DistillationLoss):
        def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
            return keras.ops.mean(
                keras.ops.abs(teacher_outputs - student_outputs)
            )

    x, y = batch
    distiller = make_distiller(distillation_losses=Gap())
    logs = distiller.evaluate(x, y, verbose=0, return_dict=True)
    gap = keras.ops.convert_to_numpy(distiller.teacher(x))
    gap = np.abs(gap - keras.ops.convert_to_numpy(distiller.student(x)))
    assert logs["gap_loss"] == pytest.approx(np.mean(gap), rel=1e-6)


def test_words_of_the_constructor_are_those_of_keras(make_dense, logits):
    import inspect

    ours = inspect.signature(Distiller.__init__)
    theirs = inspect.signature(keras.distillation.Distiller.__init__)
    words = dict(ours.parameters)
    # Ours alone, behind all of theirs.
    own = words.pop("teacher_training")
    assert list(ours.parameters)[-2:] == [own.name, "kwargs"]
    assert str(ours.replace(parameters=words.values())) == str(theirs)
