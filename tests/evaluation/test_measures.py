import collections

import numpy as np

from keras_distill import students
from keras_distill.evaluation import measures


def test_parameters_by_hand(make_classifier, tokenizer):
    model = make_classifier(num_layers=3, hidden_dim=16)
    # Words, 32 positions, 2 segments, scale and offset of the normalisation.
    embeddings = (tokenizer.vocabulary_size() + 32 + 2) * 16 + 2 * 16
    # Query, key, value, output; two dense layers of 32; two normalisations.
    layer = 4 * (16 * 16 + 16) + (16 * 32 + 32) + (32 * 16 + 16) + 2 * 2 * 16
    pooler = 16 * 16 + 16
    head = 16 * 2 + 2
    counted = measures.count_parameters(model)
    assert counted.embeddings == embeddings
    assert counted.encoder == 3 * layer
    assert counted.total == embeddings + 3 * layer + pooler + head


def test_parameters_of_a_recurrent_student(make_classifier, tokenizer):
    model = students.create_bilstm_student(
        make_classifier(hidden_dim=16), embedding_dim=6, lstm_dim=5
    )
    # Four gates in each of two directions; the projection.
    lstm = 2 * 4 * (5 * (6 + 5) + 5)
    projection = 10 * 16 + 16
    counted = measures.count_parameters(model)
    assert counted.embeddings == tokenizer.vocabulary_size() * 6
    assert counted.encoder == lstm + projection
    assert counted.total == (
        counted.embeddings + lstm + projection + 16 * 2 + 2
    )


def test_file_is_the_weights_in_float32_and_little_more(make_classifier):
    model = make_classifier(num_layers=1, hidden_dim=128)
    weights = 4 * model.count_params()
    assert weights < measures.count_file_bytes(model) < 1.2 * weights


def test_file_leaves_out_the_optimizer(make_classifier):
    model = make_classifier(num_layers=1)
    before = measures.count_file_bytes(model)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    assert measures.count_file_bytes(model) == before
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


class Recorder:
    """Stands in for a pipeline; writes down whose turn it is."""

    def __init__(self, name, log, compiles_each_length=False):
        self.name = name
        self.log = log
        self.compiles_each_length = compiles_each_length

    def texts(self, columns):
        return columns

    def tokenize(self, batch):
        self.log.append(self.name)
        return batch

    def forward(self, features):
        return self

    def __array__(self, dtype=None, copy=None):
        self.log.append(f"{self.name} done")
        return np.zeros(1)


def test_models_take_turns_after_a_warm_up():
    log = []
    pipelines = {name: Recorder(name, log) for name in ("big", "small")}
    batches = [None] * 12
    turns = []
    seconds = measures.measure(pipelines, batches, lambda: turns.append(1))
    begun = [entry for entry in log if not entry.endswith("done")]
    assert begun == (
        ["big"] * 5
        + ["small"] * 5
        + ["big"] * 10
        + ["small"] * 10
        + ["big"] * 2
        + ["small"] * 2
    )
    assert list(seconds) == ["big", "small"]
    assert all(pairs.shape == (12, 2) for pairs in seconds.values())
    assert all((pairs >= 0).all() for pairs in seconds.values())
    assert len(turns) == measures.num_turns(pipelines, batches) == 4


def test_batches_are_waited_for():
    log = []
    measures.measure({"big": Recorder("big", log)}, [None], lambda: None)
    assert log == ["big", "big done"] * 2


def test_no_length_is_new_when_the_clock_runs():
    log = []
    recorder = Recorder("big", log, compiles_each_length=True)
    measures.measure({"big": recorder}, [None] * 7, lambda: None)
    assert log.count("big") == 7 + 7


def test_sampled_batches_use_every_text_before_one_comes_back():
    texts = ([f"text {i}" for i in range(5)],)
    batches = measures.sample_batches(texts, batch_size=2, runs=5)
    drawn = [text for (batch,) in batches for text in batch]
    assert [batch.shape for (batch,) in batches] == [(2,)] * 5
    assert set(collections.Counter(drawn).values()) == {2}


def test_sampled_pairs_stay_together():
    firsts = [f"text {i}" for i in range(9)]
    seconds = [f"text {i} too" for i in range(9)]
    for first, second in measures.sample_batches((firsts, seconds), 3, 2):
        for a, b in zip(first, second, strict=True):
            assert b == a + " too"


def test_samples_are_the_same_every_time():
    texts = ([f"text {i}" for i in range(50)],)
    first, again = (measures.sample_batches(texts, 4, 3) for _ in range(2))
    np.testing.assert_array_equal(np.array(first), np.array(again))
