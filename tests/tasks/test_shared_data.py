"""Real files, where a machine has them."""

import numpy as np
import pytest

from keras_distill import tasks

pytestmark = pytest.mark.tensorflow("reading rows is the same on each backend")

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


# Rows of each split.
INFERENCE = {
    "litl": ("train", 44_983, "dev", 7_371),
    "wiki_crowd_nli": ("train", 15_103, "test", 685),
    "cad_snli": ("train", 8_330, "dev", 1_000, "test", 2_000),
}


@pytest.mark.parametrize("name", INFERENCE)
def test_inference(shared_data, name):
    task, splits = tasks.load(name, shared_data)
    expected = INFERENCE[name]
    assert list(splits) == list(expected[::2])
    for split, rows in zip(expected[::2], expected[1::2], strict=True):
        examples = splits[split]
        assert len(examples) == rows
        shares = np.bincount(examples.labels, minlength=3) / rows
        assert shares.min() > 0.2


def test_inference_together(shared_data):
    task, splits = tasks.load("+".join(INFERENCE), shared_data)
    assert len(splits["train"]) == 44_983 + 15_103 + 8_330
    assert len(splits["dev"]) == 7_371 + 1_000
    first = splits["train"].texts[1][0]
    assert first.startswith("The forest provides good cover")
    assert task.label_names[splits["train"].labels[0]] == "entailment"


def test_boolq(shared_data):
    _, splits = tasks.load("boolq", shared_data)
    found = {
        name: (len(split), int(split.labels.sum()))
        for name, split in splits.items()
    }
    assert found == {"train": (9_427, 5_874), "dev": (3_270, 2_033)}


def test_questions_of_squad(shared_data):
    """Those with an answer, in the half of SQuAD's dev set that is there."""
    task, splits = tasks.load("qnli_ranking", shared_data)
    queries = {
        name: len(np.unique(np.abs(split.labels)))
        for name, split in splits.items()
    }
    # 2,910 have an answer; a paragraph of one sentence leaves no choice.
    assert 2_850 < sum(queries.values()) <= 2_910
    assert 0.05 < queries["dev"] / sum(queries.values()) < 0.15
    for split in splits.values():
        # One right sentence of some five.
        assert np.sum(split.labels > 0) == len(np.unique(np.abs(split.labels)))
        assert 0.15 < task.chance(split.labels) < 0.3
    assert not set(splits["train"].texts[1]) & set(splits["dev"].texts[1])


def test_glue_below_a_folder_of_all(shared_data):
    _, splits = tasks.load("rte", shared_data)
    assert len(splits["dev"]) == 277


def test_wikipedia_in_sentences(shared_data):
    part = shared_data / "text" / "enwiki_2015" / "part00.txt.gz"
    texts = tasks.TextFiles(part, split_sentences=True, min_words=4)
    examples = texts.load(20_000)
    words = [len(text.split()) for text in examples.texts[0]]
    assert min(words) == 4
    assert 15 < np.mean(words) < 30
