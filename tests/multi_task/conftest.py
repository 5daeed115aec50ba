"""Tiny models of several tasks, their rows and a teacher."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import MultiTaskDistiller
from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from keras_distill.data import Examples
from keras_distill.data import TaggedExamples
from keras_distill.data import TokenizedExamples
from keras_distill.data import TokenizedTags

WORDS = "a the film was very good bad".split()


@pytest.fixture(scope="session")
def make_model(tokenizer):
    """Three tasks above one encoder: three classes, a score, tags."""

    def make(hidden_dim=8, dropout=0.1, tasks=("nli", "score", "tags")):
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=1,
            num_heads=2,
            hidden_dim=hidden_dim,
            intermediate_dim=2 * hidden_dim,
            dropout=dropout,
            max_sequence_length=16,
        )
        classifier = keras_hub.models.BertTextClassifier
        made = {
            "nli": lambda: classifier(backbone, 3, dropout=dropout),
            "score": lambda: classifier(backbone, 1, dropout=dropout),
            "tags": lambda: models.TokenClassifier(
                backbone, 4, dropout=dropout
            ),
        }
        return models.MultiTaskModel({task: made[task]() for task in tasks})

    return make


@pytest.fixture(scope="session")
def rows(tokenizer):
    """Eight rows of three classes, four of a score, four of tags.

    Whole batches of four, of at most eight tokens: JAX compiles for each
    shape.
    """
    generator = np.random.default_rng(1)

    def texts(count):
        lengths = generator.integers(1, 7, count)
        return [list(generator.choice(WORDS, size)) for size in lengths]

    def tokenized(count, labels):
        joined = ([" ".join(words) for words in texts(count)],)
        return TokenizedExamples(Examples(joined, labels), tokenizer, 12)

    words = texts(4)
    tags = [generator.integers(0, 4, len(row)).tolist() for row in words]
    return {
        "nli": tokenized(8, np.arange(8) % 3),
        "score": tokenized(4, np.linspace(0, 5, 4).astype("float32")),
        "tags": TokenizedTags(TaggedExamples(words, tags), tokenizer, 12),
    }


@pytest.fixture(scope="session")
def by_task():
    """The loss on the labels of each task."""
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return {"nli": cross_entropy, "score": "mse", "tags": cross_entropy}


@pytest.fixture(scope="session")
def make_distiller(make_model, by_task):
    """A compiled distiller; `nli` has a teacher, the other tasks have none."""

    def make(
        student=None,
        teachers=True,
        optimizer=None,
        metrics=None,
        losses_by_task=None,
        **compiled,
    ):
        distilled = {}
        if teachers is True:
            teachers = {"nli": make_model(16).task_models["nli"]}
        if teachers:
            distilled["distillation_losses"] = [
                losses.LogitsDistillation(loss="cross_entropy"),
                losses.HiddenStatesDistillation(),
            ]
        distiller = MultiTaskDistiller(
            student or make_model(), teachers, **distilled
        )
        distiller.compile(
            optimizer or optimizers.AdamW(0.01, weight_decay=0.1),
            loss=losses_by_task or by_task,
            metrics=metrics,
            **compiled,
        )
        return distiller

    return make


@pytest.fixture(scope="session")
def arrays():
    """Copies of variables as arrays."""

    def read(variables):
        return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]

    return read
