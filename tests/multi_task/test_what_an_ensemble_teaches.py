"""Soft labels of an ensemble help a student whose labels are noisy."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import MultiTaskDistiller
from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from keras_distill import teachers
from keras_distill.data import Examples
from keras_distill.data import TokenizedExamples
from keras_distill.tasks import predict_logits
from tests.conftest import WORDS

TAUGHT, UNTAUGHT = ("first", "second"), "third"
TASKS = (*TAUGHT, UNTAUGHT)
SEEDS, MEMBERS = 5, 3
# Labels that are wrong, of those that are trained on.
NOISE = 0.25
ROWS, HELD_OUT = 128, 400


@pytest.fixture(scope="module")
def make(tokenizer):
    """A tiny encoder with three tasks of two classes."""

    def build():
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=1,
            num_heads=2,
            hidden_dim=16,
            intermediate_dim=32,
            dropout=0.0,
            max_sequence_length=16,
        )
        return models.MultiTaskModel(
            {
                task: models.BertTextClassifier(
                    backbone, 2, dropout=0.0, pooling="mean"
                )
                for task in TASKS
            }
        )

    return build


@pytest.fixture(scope="module")
def draw(tokenizer):
    """Rows of three tasks, each of which asks something else of words."""
    generator = np.random.default_rng(11)
    # What a word says: some of it is common to all tasks.
    common = generator.normal(size=len(WORDS))
    says = {task: common + generator.normal(size=len(WORDS)) for task in TASKS}

    def rows(generator, count, noise=0.0):
        found = {}
        for task, of_words in says.items():
            words = generator.integers(0, len(WORDS), (count, 8))
            labels = of_words[words].sum(axis=1) > 0
            labels ^= generator.random(count) < noise
            texts = [" ".join(WORDS[word] for word in row) for row in words]
            found[task] = TokenizedExamples(
                Examples((texts,), labels), tokenizer, 10
            )
        return found

    return rows


@pytest.mark.slow
def test_taught_tasks_gain_and_the_other_does_not_lose(make, draw):
    """Of the same start, rows and steps, over five seeds.

    The functions that train are made once: weights go from model to model.
    """
    members = [make() for _ in range(MEMBERS)]
    ensembles = {
        task: teachers.TeacherEnsemble(
            [member.task_models[task] for member in members]
        )
        for task in TAUGHT
    }
    alone, taught = make(), make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def compiled(*arguments):
        distiller = MultiTaskDistiller(*arguments)
        distiller.compile(
            optimizers.Adam(0.003), loss=dict.fromkeys(TASKS, loss)
        )
        state = distiller.optimizer.variables
        return distiller, state, [np.array(variable) for variable in state]

    without = compiled(alone)
    with_ensembles = compiled(
        taught, ensembles, losses.LogitsDistillation(loss="cross_entropy")
    )

    def train(trained, weights, rows):
        distiller, state, at_first = trained
        distiller.student.set_weights(weights)
        for variable, value in zip(state, at_first, strict=True):
            variable.assign(value)
        distiller.fit(rows, batch_size=32, epochs=16, verbose=0)
        return distiller.student.get_weights()

    def accuracy(model, rows, task):
        logits = predict_logits(model.task_models[task], rows[task])
        return np.mean(logits.argmax(axis=1) == rows[task].labels)

    gains = {task: [] for task in TASKS}
    for seed in range(SEEDS):
        generator = np.random.default_rng([3, seed])
        rows = draw(generator, ROWS, NOISE)
        held_out = draw(generator, HELD_OUT)
        for number, member in enumerate(members):
            keras.utils.set_random_seed(10 * seed + number)
            member.set_weights(train(without, make().get_weights(), rows))
        keras.utils.set_random_seed(10 * seed + MEMBERS)
        start = make().get_weights()
        train(without, start, rows)
        train(with_ensembles, start, rows)
        for task in TASKS:
            gains[task].append(
                accuracy(taught, held_out, task)
                - accuracy(alone, held_out, task)
            )
    print(
        {task: np.round(values, 3).tolist() for task, values in gains.items()}
    )
    assert np.mean([gains[task] for task in TAUGHT]) > 0
    # Three standard errors of the difference of two accuracies.
    noise = 3 * np.sqrt(2 * 0.25 / (SEEDS * HELD_OUT))
    assert np.mean(gains[UNTAUGHT]) > -noise
