"""Soft labels of a file, kept for the rows that a run learns from."""

import types

import numpy as np
import pytest
from scipy.special import softmax

from keras_distill import tasks
from keras_distill import teachers
from recipes.common.soft_labels import keep_soft_labels

TASK = tasks.get_task("sst2")
TEXTS = ["a great film", "a dull film", "a sad story"]


@pytest.fixture
def experiment():
    """What is looked at of an experiment; `said` is what it said."""
    said = []
    folder = types.SimpleNamespace(
        say=said.append, quiet=True, has_trained=lambda: False
    )
    return types.SimpleNamespace(folder=folder, said=said)


@pytest.mark.parametrize("labels", [[1, 0, 1], None])
def test_rows_without_an_answer_are_learned_from_their_labels(
    experiment, tokenizer, tmp_path, labels
):
    rows = TASK.tokenize(tasks.Examples((TEXTS,), labels), tokenizer, 16)
    soft_labels = teachers.SoftLabels(
        [1, 7], [[0.25, 0.75], [0.5, 0.5]], TASK.label_names
    )

    def keep(**options):
        return keep_soft_labels(
            experiment, tmp_path / "kept", soft_labels, rows, **options
        )

    with pytest.raises(ValueError, match="--soft-labels: .*none for the id 0"):
        keep()
    if labels is None:
        with pytest.raises(ValueError, match="--soft-labels: .*have labels"):
            keep(missing_from_labels=True)
        return
    found = keep(missing_from_labels=True).read(rows.ids)["logits"]
    np.testing.assert_allclose(
        softmax(found, axis=-1), [[0, 1], [0.25, 0.75], [0, 1]], atol=1e-6
    )
    assert experiment.said[-1].startswith("2 of 3 rows have no soft labels")
