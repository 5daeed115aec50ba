"""Every argument that does not fit is refused in one sentence."""

import keras
import keras_hub
import pytest

from keras_distill import tasks
from keras_distill.export.interface import Interface

NAMES = ["negative", "positive"]


@pytest.fixture
def classifier(make_classifier):
    return make_classifier(num_layers=1)


def test_the_defaults_come_from_the_classifier(classifier):
    interface = Interface.of(classifier, label_names=NAMES)
    assert interface == Interface(
        ("text",), ("negative", "positive"), 16, tasks.ClassificationTask
    )


def test_the_task_gives_what_is_not_given(classifier):
    task = tasks.MultiLabelTask(
        name="topics",
        label_names=("no", "yes"),
        text_columns=("sentence1", "sentence2"),
        metrics=("micro_f1",),
        sequence_length=24,
    )
    # But not the length, which is that of the training.
    assert Interface.of(classifier, task) == Interface(
        ("sentence1", "sentence2"), ("no", "yes"), 16, tasks.MultiLabelTask
    )
    assert Interface.of(classifier, task, NAMES, ["text"], 8) == Interface(
        ("text",), ("negative", "positive"), 8, tasks.MultiLabelTask
    )


def test_a_task_has_models_of_its_kind(classifier):
    tags = tasks.tagging_task("names", ["O", "B-PER"])
    with pytest.raises(ValueError, match="kind tagging.*TokenClassifier.*Bert"):
        Interface.of(classifier, tags)
    sst2 = tasks.get_task("sst2")
    with pytest.raises(ValueError, match="by softmax.*activation='sigmoid'"):
        Interface.of(with_head(classifier, "sigmoid"), sst2)


def test_a_single_output_with_a_name_is_a_label_of_its_own(make_classifier):
    binary = make_classifier(num_layers=1, num_classes=1)
    kind = Interface.of(binary, label_names=["toxic"]).kind
    assert kind is tasks.MultiLabelTask
    with pytest.raises(ValueError, match="`multi_label=False` does not fit"):
        Interface.of(binary, label_names=["toxic"], multi_label=False)


def with_head(classifier, activation, num_classes=2):
    return keras_hub.models.BertTextClassifier(
        classifier.backbone,
        num_classes=num_classes,
        preprocessor=classifier.preprocessor,
        activation=activation,
    )


def is_multi_label(classifier, **arguments):
    kind = Interface.of(classifier, label_names=NAMES, **arguments).kind
    return kind is tasks.MultiLabelTask


def test_who_says_that_labels_are_independent(classifier):
    assert not is_multi_label(classifier)
    assert is_multi_label(classifier, multi_label=True)
    task = tasks.MultiLabelTask("mood", ("text",), NAMES, ("micro_f1",), 16)
    assert is_multi_label(classifier, task=task)
    assert not is_multi_label(classifier, task=task, multi_label=False)
    for loss in (
        "binary_crossentropy",
        keras.losses.BinaryCrossentropy(from_logits=True),
        keras.losses.BinaryFocalCrossentropy(from_logits=True),
    ):
        classifier.compile(loss=loss)
        assert is_multi_label(classifier)
    assert not is_multi_label(classifier, multi_label=False)
    assert is_multi_label(with_head(classifier, "sigmoid"))
    assert not is_multi_label(with_head(classifier, "softmax"))


@pytest.mark.parametrize(
    ("activation", "asked"), [("softmax", True), ("sigmoid", False)]
)
def test_what_is_asked_must_fit_the_activation(classifier, activation, asked):
    head = with_head(classifier, activation)
    with pytest.raises(ValueError, match=f"activation='{activation}'.*Leave"):
        is_multi_label(head, multi_label=asked)


def test_labels_of_their_own_need_names(make_classifier):
    binary = make_classifier(num_layers=1, num_classes=1)
    with pytest.raises(ValueError, match="`label_names` is missing"):
        Interface.of(binary, multi_label=True)


def test_a_single_output_without_names_is_a_regression(make_classifier):
    regression = make_classifier(num_layers=1, num_classes=1)
    assert Interface.of(regression).label_names is None
    assert Interface.of(regression).kind is tasks.RegressionTask


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"label_names": None}, "`label_names` is missing.*has 2 outputs"),
        ({"label_names": ["a", "b", "c"]}, "each of the 2 outputs.*Received 3"),
        ({"label_names": "ab"}, "`label_names` must be a list.*'ab'"),
        ({"label_names": {"no", "yes"}}, "each output once, in their order"),
        ({"label_names": ["no", "no"]}, "each output once, in their order"),
        ({"label_names": ["a", "b\nc"]}, "without line breaks"),
        ({"label_names": ["a", ""]}, "non-empty strings"),
        ({"label_names": [0, 1]}, r"Received: \[0, 1\]"),
        ({"text_columns": "text"}, "`text_columns` must be a list.*'text'"),
        ({"text_columns": []}, "one or two different names"),
        ({"text_columns": ["a", "a"]}, "one or two different names"),
        ({"text_columns": ["a", "b", "c"]}, "one or two different names"),
        ({"text_columns": ["first text"]}, "letters, digits and underscores"),
        ({"sequence_length": 2}, "between 3 .* and 32 .*Received: 2"),
        ({"sequence_length": 33}, "between 3 .* and 32 .*Received: 33"),
        (
            {"text_columns": ["a", "b"], "sequence_length": 4},
            "between 5 .*Received: 4",
        ),
    ],
)
def test_arguments_that_do_not_fit(classifier, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Interface.of(classifier, **{"label_names": NAMES, **arguments})


def test_names_for_a_single_output(make_classifier):
    regression = make_classifier(num_layers=1, num_classes=1)
    with pytest.raises(ValueError, match="each of the 1 outputs.*Received 2"):
        Interface.of(regression, label_names=NAMES)


def test_other_objects_are_refused(classifier):
    with pytest.raises(ValueError, match="BertBackbone.*`distiller.student`"):
        Interface.of(classifier.backbone)


def test_a_classifier_without_a_preprocessor_is_refused(classifier):
    classifier.preprocessor = None
    with pytest.raises(ValueError, match="has no preprocessor.*raw text"):
        Interface.of(classifier, label_names=NAMES)


def test_a_classifier_that_gives_neither_logits_nor_shares_is_refused(
    classifier,
):
    relu = with_head(classifier, "relu")
    with pytest.raises(ValueError, match="logits.*activation='relu'"):
        Interface.of(relu, label_names=NAMES)
    alone = with_head(classifier, "softmax", num_classes=1)
    with pytest.raises(ValueError, match="by sigmoid.*activation='softmax'"):
        Interface.of(alone, label_names=["toxic"])


def test_other_tokenizers_are_refused(classifier):
    classifier.preprocessor.tokenizer = keras_hub.tokenizers.ByteTokenizer()
    with pytest.raises(ValueError, match="WordPiece.*a ByteTokenizer"):
        Interface.of(classifier, label_names=NAMES)


def test_other_backends_are_refused(classifier, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="Received the backend 'jax'"):
        Interface.of(classifier, label_names=NAMES)
