"""Examples of different lengths, and a teacher that needs no computing."""

import keras
import numpy as np
import pytest

from keras_distill.tasks import Examples
from keras_distill.tasks import TokenizedExamples
from keras_distill.teachers import TeacherCache
from keras_distill.teachers.cache import sources
from keras_distill.teachers.cache import writing

WORDS = "film movie plot actor good bad great dull funny sad".split()


@pytest.fixture
def make_examples(tokenizer):
    """Builds rows of 3 to 10 tokens, with ids in no order."""

    def make(num_examples=23, seed=0, sequence_length=16, tokenizer=tokenizer):
        random = np.random.default_rng(seed)
        texts = [
            " ".join(random.choice(WORDS, random.integers(1, 9)))
            for _ in range(num_examples)
        ]
        ids = random.permutation(3 * num_examples)[:num_examples]
        labels = random.integers(0, 2, num_examples)
        return TokenizedExamples(
            Examples((texts,), labels, ids), tokenizer, sequence_length
        )

    return make


@pytest.fixture
def examples(make_examples):
    return make_examples()


@pytest.fixture
def make_teacher():
    """Builds a model of token ids that is made and run in no time."""

    def make(width=8, num_classes=2, dropout=0.0):
        tokens = keras.Input((None,), name="token_ids", dtype="int32")
        hidden = keras.layers.Embedding(40, width, name="hidden")(tokens)
        hidden = keras.layers.Dropout(dropout)(hidden)
        pooled = keras.layers.GlobalMaxPooling1D(name="pooled")(hidden)
        logits = keras.layers.Dense(num_classes)(pooled)
        return keras.Model({"token_ids": tokens}, logits)

    return make


@pytest.fixture
def teacher(make_teacher):
    return make_teacher()


@pytest.fixture
def bert(make_classifier):
    """A teacher with all features there are."""
    return make_classifier(num_layers=1, hidden_dim=8)


@pytest.fixture
def write(tmp_path, teacher, examples):
    """Writes a cache; the arguments are those of `TeacherCache.write`."""

    def write(**arguments):
        arguments = {
            "path": tmp_path / "cache",
            "teacher": teacher,
            "examples": examples,
            "shard_size": 8,
            "batch_size": 4,
            "quiet": True,
            **arguments,
        }
        return TeacherCache.write(**arguments)

    return write


class ArithmeticRun:
    """In place of the teacher: features that follow from an example's id.

    It computes no model, so that a forked process may use it. Each batch of
    ids is noted in `log`, if there is one.
    """

    width = 8
    log = None
    before_batch = staticmethod(lambda: None)

    def __init__(self, teacher, features, batch_size):
        self.features = features
        self.batch_size = batch_size

    def __call__(self, examples):
        for start in range(0, len(examples), self.batch_size):
            self.before_batch()
            stop = min(start + self.batch_size, len(examples))
            ids = examples.ids[start:stop]
            if self.log is not None:
                with open(self.log, "a") as file:
                    file.write(f"{len(ids)}\n")
            length = int(examples.lengths[start:stop].max())
            yield {
                name: self.value(name, ids, length) for name in self.features
            }

    @classmethod
    def value(cls, name, ids, length):
        ids = np.asarray(ids, "float32")
        if name == "logits":
            return np.stack([ids, -ids], axis=1)
        return np.sin(
            ids[:, None, None]
            + np.arange(length, dtype="float32")[:, None]
            + np.arange(cls.width, dtype="float32")
        )


@pytest.fixture
def arithmetic_run(monkeypatch):
    """Writes with `ArithmeticRun`, whose attributes a test may set."""

    class Run(ArithmeticRun):
        pass

    monkeypatch.setattr(sources, "TeacherRun", Run)
    return Run


@pytest.fixture
def arithmetic(monkeypatch, arithmetic_run, teacher, examples):
    """The same on a plan that is made beforehand, whatever the arguments.

    So nothing of the backend runs in what is called after.
    """
    settings = writing.Settings(
        ("logits", "layer.hidden"), "float32", None, 8, 4
    )
    ordered = examples.select(np.argsort(examples.ids))
    source = sources.ModelSource(teacher)
    plan = writing._plan(source, ordered, settings)
    monkeypatch.setattr(writing, "_plan", lambda *arguments: plan)
    return arithmetic_run
