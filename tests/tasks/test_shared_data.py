"""GLUE's real files, where a machine has them."""

import numpy as np
import pytest

from keras_distill import tasks

# Rows and, for the classification tasks, rows of class 0.
ROWS = {
    "cola": {"train": (8_551, 2_528), "dev": (1_043, 324)},
    "sst2": {"train": (67_349, 29_780), "dev": (872, 428)},
    "mrpc": {"train": (4_076, 1_323), "test": (1_725, 578)},
    "stsb": {
        "train": (5_749, None),
        "dev": (1_500, None),
        "test": (1_379, None),
    },
    "qqp": {"train": (20_000, 12_553), "dev": (3_496, 2_196)},
    "qnli": {"dev": (5_463, 2_702)},
    "rte": {"train": (2_490, 1_249), "dev": (277, 146)},
    "wnli": {"train": (635, 323), "dev": (71, 40)},
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_and_labels(shared_data, name):
    task, splits = tasks.load(name, shared_data / "glue")
    assert list(splits) == list(ROWS[name])
    for split, (rows, negatives) in ROWS[name].items():
        examples = splits[split]
        assert len(examples) == rows
        assert len(examples.texts) == len(task.text_columns)
        if negatives is None:
            assert examples.labels.min() == 0.0
            assert examples.labels.max() == 5.0
        else:
            assert np.sum(examples.labels == 0) == negatives
