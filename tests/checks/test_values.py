"""Labels and token ids that a model cannot take are named by row."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import stages
from keras_distill import tasks
from keras_distill.checks.values import check_class_labels
from keras_distill.checks.values import check_length
from keras_distill.checks.values import check_scores
from keras_distill.checks.values import check_token_ids
from keras_distill.models import TokenClassifier

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] good bad film".split()


def test_what_fits_passes():
    check_class_labels([0, 1, 1], 2)
    check_class_labels(np.array([[0.0], [1.0]]), 2)
    check_class_labels(np.zeros((0, 3), "int32"), 2)
    check_scores([0.5, -1])
    check_token_ids([[0, 6]], 7)
    check_length(6, 6)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 2], "from 0 to 1, .* Received: 2 in row 1"),
        ([[0, 0], [0, -100]], "-100 in row 1; -100 marks what Hugging Face"),
        ([-1, 0, -1, -1, -1, -1], "-1 in rows 0, 2, 3 and 2 more; -1 marks"),
        ([1, 2, 1], "2 in row 1; classes count from 0: subtract 1"),
        ([0, np.nan], "nan in row 1"),
        ([0.5], "0.5 in row 0"),
        (["a"], "dtype <U1"),
    ],
)
def test_labels_that_are_no_class(labels, message):
    with pytest.raises(ValueError, match=message):
        check_class_labels(labels, 2)


def test_rows_of_a_later_batch_are_counted_on():
    with pytest.raises(ValueError, match="2 in row 33"):
        check_class_labels([0, 2], 2, first_row=32)


def test_scores_ids_and_lengths():
    with pytest.raises(
        ValueError, match="finite numbers. Received: nan in row 1"
    ):
        check_scores([0, np.nan])
    with pytest.raises(ValueError, match="from 0 to 6.* Received: 7 in row 1"):
        check_token_ids([[0, 1], [2, 7]], 7)
    with pytest.raises(ValueError, match="at most 6.* 8 tokens in row 3"):
        check_length(8, 6, row=3)


@pytest.fixture(scope="module")
def tokenizer():
    return keras_hub.models.BertTokenizer(WORDS, lowercase=True)


@pytest.fixture(scope="module")
def backbone():
    return keras_hub.models.BertBackbone(
        vocabulary_size=7,
        num_layers=1,
        num_heads=2,
        hidden_dim=4,
        intermediate_dim=8,
        max_sequence_length=6,
    )


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["good", "bad"], [0, 2], "class indices.* Received: 2 in row 1"),
        (["good", "bad"], [0, -1], "Received: -1 in row 1"),
        (["good", "bad"], [0.0, 0.5], "Received: 0.5 in row 1"),
        (["good", "film"], [0, 1], "`token_ids`.* Received: 7 in row 1"),
        (["good", "bad " * 9], [0, 1], "at most 6.* 11 tokens in row 1"),
    ],
)
def test_a_stage_names_rows_before_it_trains(
    tokenizer, backbone, texts, labels, message
):
    rows = tasks.TokenizedExamples(
        tasks.Examples((texts,), labels), tokenizer, 16
    )
    student = keras_hub.models.BertTextClassifier(backbone, num_classes=2)
    with pytest.raises(ValueError, match=f"`train` of stage 's': .*{message}"):
        stages.Stage(
            "s",
            student,
            rows,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            optimizer="adam",
            epochs=1,
        )
    # The first row is good, whatever stands beside it.
    rows.select([0]).check_model(student)


def test_predictions_need_no_labels(tokenizer, backbone):
    student = keras_hub.models.BertTextClassifier(backbone, num_classes=2)
    rows = tasks.TokenizedExamples(
        tasks.Examples((["good", "film"],), [5, 5]), tokenizer, 6
    )
    with pytest.raises(ValueError, match="Received: 7 in row 1"):
        tasks.predict_logits(student, rows)
    assert tasks.predict_logits(student, rows.select([0])).shape == (1, 2)


def test_scores_of_a_regression(tokenizer, backbone):
    student = keras_hub.models.BertTextClassifier(backbone, num_classes=1)
    rows = tasks.TokenizedExamples(
        tasks.Examples((["good"],), [2.5]), tokenizer, 6
    )
    rows.check_model(student)


def test_tags_outside_of_the_model(tokenizer, backbone):
    tagger = TokenClassifier(backbone, num_classes=3)
    rows = tasks.TokenizedTags(
        tasks.TaggedExamples([["good"], ["bad", "bad"]], [[2], [0, 3]]),
        tokenizer,
        6,
    )
    with pytest.raises(ValueError, match="from 0 to 2.* Received: 3 in row 1"):
        rows.check_model(tagger)
    rows.select([0]).check_model(tagger)
