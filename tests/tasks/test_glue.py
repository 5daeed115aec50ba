"""The facts of the ten GLUE tasks."""

import pytest

from keras_distill import tasks

NLI = ("entailment", "neutral", "contradiction")


@pytest.mark.parametrize(
    ("name", "columns", "labels", "metrics", "length"),
    [
        ("cola", 1, ("unacceptable", "acceptable"), ("matthews",), 64),
        ("sst2", 1, ("negative", "positive"), ("accuracy",), 64),
        ("mrpc", 2, ("not_equivalent", "equivalent"), ("accuracy", "f1"), 128),
        ("qqp", 2, ("not_duplicate", "duplicate"), ("accuracy", "f1"), 128),
        (
            "stsb",
            2,
            None,
            ("pearson_spearman", "pearson", "spearman"),
            128,
        ),
        ("mnli", 2, NLI, ("accuracy",), 128),
        ("qnli", 2, ("entailment", "not_entailment"), ("accuracy",), 128),
        ("rte", 2, ("entailment", "not_entailment"), ("accuracy",), 128),
        ("wnli", 2, ("not_entailment", "entailment"), ("accuracy",), 128),
        ("ax", 2, NLI, ("matthews",), 128),
    ],
)
def test_facts(name, columns, labels, metrics, length):
    task = tasks.get_task(name)
    assert len(task.text_columns) == columns
    assert task.label_names == labels
    assert task.metrics == metrics
    assert task.sequence_length == length
