import collections

import keras
import numpy as np

from keras_distill import students
from keras_distill import tasks
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
    """Stands in for what is timed; writes down whose turn it is."""

    def __init__(self, name, log, compiles_each_length=False):
        self.name = name
        self.log = log
        self.compiles_each_length = compiles_each_length

    def answer(self, batch):
        self.log.append(self.name)
        return self

    def forward(self, batch):
        self.log.append(f"{self.name} from ids")
        return self

    def __array__(self, dtype=None, copy=None):
        self.log.append(f"{self.name} done")
        return np.zeros(1)


BATCH = (None, None)


def test_models_take_turns_after_a_warm_up():
    log = []
    timed = {name: Recorder(name, log) for name in ("big", "small")}
    turns = []
    seconds = measures.measure(
        timed, dict.fromkeys(timed, [BATCH] * 12), lambda: turns.append(1)
    )
    assert [entry for entry in log if entry in timed] == (
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
    assert len(turns) == measures.num_turns(timed, 12) == 4


def test_answers_are_waited_for():
    log = []
    measures.measure(
        {"big": Recorder("big", log)}, {"big": [BATCH]}, lambda: None
    )
    assert log == ["big", "big done", "big from ids", "big done"] * 2


def test_no_length_is_new_when_the_clock_runs():
    log = []
    recorder = Recorder("big", log, compiles_each_length=True)
    measures.measure({"big": recorder}, {"big": [BATCH] * 7}, lambda: None)
    assert log.count("big") == 7 + 7


def test_sampled_batches_use_every_row_before_one_comes_back():
    batches = measures.sample_batches(5, batch_size=2, runs=5)
    assert batches.shape == (5, 2)
    assert set(collections.Counter(batches.reshape(-1).tolist()).values()) == {
        2
    }


def test_samples_are_the_same_every_time():
    first, again = (measures.sample_batches(50, 4, 3) for _ in range(2))
    np.testing.assert_array_equal(first, again)


TEXTS = (["a film", "the plot is bad and dull"], ["it was fun", "sad"])


def test_what_is_timed_answers_as_the_model_predicts(make_classifier):
    # A column whose name no signature could have.
    task = tasks.Task("scores", ("first text", "b"), None, ("pearson",), 16)
    model = make_classifier(num_layers=1, num_classes=1)
    rows = task.tokenize(tasks.Examples(TEXTS), model.preprocessor)
    expected = task.predict(model, rows)
    ((x,),) = rows.iterate(2)
    columns = [np.array(column, dtype=object) for column in TEXTS]
    with measures.timed_models({"big": [model]}, task, {}) as timed:
        texts, ids = timed["big"].prepare(columns, [x])
        for answer, given in (("answer", texts), ("forward", ids)):
            (outputs,) = getattr(timed["big"], answer)(given)
            if measures.what_is_timed() == "SavedModel":
                outputs = outputs["score"]
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(outputs).reshape(2, 1),
                expected,
                rtol=0,
                atol=1e-5,
            )
