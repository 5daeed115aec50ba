"""A run of three stages on tiny models, the same whenever it is built."""

import hashlib

import keras
import numpy as np

from keras_distill import callbacks
from keras_distill import losses
from keras_distill import stages

ROWS = 40
BATCH_SIZE = 8


class Arrays:
    """Arrays with the interface of `TokenizedExamples`."""

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __len__(self):
        return len(self.x)

    def num_batches(self, batch_size):
        return -(-len(self.x) // batch_size)

    def batches(
        self, batch_size, shuffle=False, seed=0, initial_epoch=0, first_batch=0
    ):
        order = np.arange(len(self.x))
        if shuffle:
            generator = np.random.default_rng((seed, initial_epoch))
            order = generator.permutation(order)
        return _Batches(self.x, self.y, order, batch_size, first_batch)


class _Batches(keras.utils.PyDataset):
    def __init__(self, x, y, order, batch_size, first_batch):
        super().__init__()
        starts = range(0, len(order), batch_size)[first_batch:]
        self._rows = [order[start : start + batch_size] for start in starts]
        self._x = x
        self._y = y

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, index):
        rows = self._rows[index]
        return self._x[rows], self._y[rows]


def make_data(rows=ROWS):
    """Points of two classes."""
    generator = np.random.default_rng(5)
    x = generator.normal(size=(rows, 4)).astype("float32")
    return Arrays(x, (x.sum(axis=1) > 0).astype("int32"))


def make_model(width, dropout=0.3):
    """`x (4) -> hidden (width) -> dropout -> head (2)`."""
    x = keras.Input((4,), name="x")
    h = keras.layers.Dense(width, "tanh", name="hidden")(x)
    h = keras.layers.Dropout(dropout)(h)
    return keras.Model(x, keras.layers.Dense(2, name="head")(h))


def adam(steps):
    schedule = keras.optimizers.schedules.PolynomialDecay(0.05, steps, 0.0)
    return keras.optimizers.Adam(schedule)


def cross_entropy():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make_stages(data, teacher, student, epochs=2, **common):
    """Labels for the teacher; hidden states, then logits, for the student.

    Further arguments are those of every stage.
    """
    # Plain predictions: `predict` would trace a function for each model.
    measured = keras.ops.convert_to_tensor(data.x)

    def measure():
        predicted = keras.ops.convert_to_numpy(student(measured)).argmax(-1)
        return {"accuracy": float((predicted == data.y).mean())}

    common = {
        "train": data,
        "optimizer": adam,
        "batch_size": BATCH_SIZE,
        **common,
    }
    return [
        stages.Stage(
            "teacher",
            teacher,
            loss=cross_entropy(),
            metrics=["accuracy"],
            epochs=epochs,
            **common,
        ),
        stages.Stage(
            "hidden",
            student,
            teacher=teacher,
            distillation_losses=losses.FeatureDistillation("hidden", "hidden"),
            student_loss_weight=0,
            epochs=epochs,
            **common,
        ),
        stages.Stage(
            "logits",
            student,
            teacher=teacher,
            distillation_losses=losses.LogitsDistillation(temperature=2.0),
            student_loss_weight=0.5,
            loss=cross_entropy(),
            metrics=["accuracy"],
            epochs=epochs,
            keep=callbacks.KeepBest(measure, "accuracy"),
            **common,
        ),
    ]


def run(folder, checkpoint_every=60.0, epochs=2, rows=ROWS, **common):
    """Runs the three stages, or the rest of them.

    Further arguments are those of every stage.

    Returns:
        The results, and the values of both models after the run.
    """
    keras.utils.set_random_seed(3)
    teacher, student = make_model(8), make_model(6)
    results = stages.run_stages(
        make_stages(make_data(rows), teacher, student, epochs, **common),
        folder,
        seed=11,
        checkpoint_every=checkpoint_every,
        quiet=True,
    )
    return results, [
        v.numpy() for v in (*teacher.variables, *student.variables)
    ]


def digest(values):
    """A hash of the bits of arrays."""
    found = hashlib.sha256()
    for value in values:
        found.update(value.tobytes())
    return found.hexdigest()
