"""What a teacher is refused for."""

import keras
import keras_hub
import pytest

from keras_distill import teachers

MNLI = ("entailment", "neutral", "contradiction")


def test_shared_weights_are_named():
    x = keras.Input((4,))
    hidden = keras.layers.Dense(3, name="common")(x)
    teacher = keras.Model(x, keras.layers.Dense(2)(hidden))
    student = keras.Model(x, keras.layers.Dense(2)(hidden))
    with pytest.raises(ValueError, match="common/kernel, common/bias"):
        teachers.check_nothing_shared(teacher, student)
    assert teachers.shared_variables(teacher, student.variables) == [
        "common/kernel",
        "common/bias",
    ]
    student.get_layer("common").trainable = False
    teachers.check_nothing_shared(teacher, student)


def test_labels_in_the_same_order_pass():
    teachers.check_label_names(MNLI, list(MNLI))


def test_labels_of_another_case_pass():
    teachers.check_label_names([name.upper() for name in MNLI], MNLI)


def test_unknown_labels_pass():
    teachers.check_label_names(None, MNLI)
    teachers.check_label_names(MNLI, None)


def test_labels_in_another_order_are_refused():
    theirs = ("contradiction", "entailment", "neutral")
    with pytest.raises(ValueError) as error:
        teachers.check_label_names(theirs, MNLI, "'my_teacher'")
    message = str(error.value)
    assert "'my_teacher' are contradiction, entailment, neutral" in message
    assert "data are entailment, neutral, contradiction" in message
    assert "in another order" in message


@pytest.mark.parametrize("labels", [("yes", "no", "maybe"), MNLI[:2]])
def test_other_labels_are_refused(labels):
    with pytest.raises(ValueError, match="of other names"):
        teachers.check_label_names(labels, MNLI)


def test_a_teacher_above_chance_passes():
    teachers.check_trained(0.81, 0.5, "accuracy")


@pytest.mark.parametrize("score", [0.5, 0.3, float("nan")])
def test_a_teacher_at_chance_is_refused(score):
    with pytest.raises(
        ValueError, match=rf"accuracy on the dev split is {score:.4f}, no"
    ):
        teachers.check_trained(score, 0.5, "accuracy")


def test_a_teacher_at_chance_may_be_allowed():
    teachers.check_trained(0.3, 0.5, "accuracy", allow_untrained=True)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "log_softmax"])
def test_a_teacher_of_probabilities_is_refused(activation, make_classifier):
    logits = make_classifier(num_layers=1)
    teachers.check_gives_logits(logits)
    probabilities = keras_hub.models.BertTextClassifier(
        logits.backbone, num_classes=2, activation=activation
    )
    with pytest.raises(ValueError, match=f"'mine' ends in a {activation}"):
        teachers.check_gives_logits(probabilities, "'mine'")


def test_a_head_of_another_kind_of_problem_is_refused(make_classifier):
    def loaded(problem_type, has_head=True, activation=None):
        return teachers.LoadedTeacher(
            keras_hub.models.BertTextClassifier(
                encoder, num_classes=2, activation=activation
            ),
            has_head,
            None,
            problem_type,
        )

    encoder = make_classifier(num_layers=1).backbone
    classes = "single_label_classification"
    for kind, problem_type in (
        (None, "regression"),
        (None, classes),
        ("regression", "regression"),
        (classes, classes),
    ):
        teachers.check_kind_of_outputs(loaded(kind), problem_type)
    with pytest.raises(ValueError, match="for multi_label_classification"):
        teachers.check_kind_of_outputs(
            loaded("multi_label_classification"), classes
        )
    with pytest.raises(ValueError, match="'mine' ends in a softmax"):
        teachers.check_kind_of_outputs(
            loaded(None, activation="softmax"), classes, "'mine'"
        )
    teachers.check_kind_of_outputs(
        loaded("multi_label_classification", has_head=False), classes
    )
