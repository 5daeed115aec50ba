"""How large classifiers are, and how long they take, in turns."""

import contextlib
import os
import tempfile
import time

import keras
import numpy as np

from keras_distill import models
from keras_distill.data import Examples
from keras_distill.data.tokenized.predict import predict_batches
from keras_distill.evaluation.comparison import Parameters
from keras_distill.features import select_inputs


def count_parameters(*models):
    """Counts the weights by part of a classifier, or of several together.

    The embeddings are the backbones' layers in front of their encoders. What
    is left of `total` are the poolers and the heads.

    Args:
        *models: KerasHub text classifiers.

    Returns:
        `Parameters`.
    """
    encoders = [encoder_layers(model.backbone) for model in models]
    embeddings = [
        model.backbone.layers[: model.backbone.layers.index(encoder[0])]
        for model, encoder in zip(models, encoders, strict=True)
    ]
    return Parameters(
        total=_count(models),
        embeddings=sum(map(_count, embeddings)),
        encoder=sum(map(_count, encoders)),
    )


def encoder_layers(backbone):
    """The layers that are counted as a backbone's encoder.

    Args:
        backbone: a KerasHub backbone.

    Returns:
        List of layers: `backbone.transformer_layers`, or the one
        `backbone.encoder` of a recurrent student; empty if it has neither.
    """
    layers = getattr(backbone, "transformer_layers", None)
    if layers:
        return list(layers)
    if isinstance(backbone, models.BiLstmBackbone):
        return [backbone.encoder]
    return []


def count_file_bytes(model):
    """Size of the weights file that Keras writes for a classifier.

    Args:
        model: a functional Keras model.

    Returns:
        int. Bytes of the `.weights.h5` file, without optimizer state.
    """
    # A compiled model would write its optimizer's state too.
    bare = keras.Model(model.input, model.output)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.weights.h5")
        bare.save_weights(path)
        return os.path.getsize(path)


def _count(layers):
    return sum(layer.count_params() for layer in layers)


# Untimed batches per model before the clock starts: they fill caches and
# memory pools.
WARM_UP = 5
# Batches in a row for one model before the next has its turn. Long enough for
# a model to work from a warm cache, as when it serves alone; short enough for
# a slow spell of the machine to touch all models.
TURN = 10


def sample_batches(num_examples, batch_size, runs):
    """Draws the batches that are timed.

    Rows are taken in a fixed random order and from the start again when there
    are fewer than needed.

    Args:
        num_examples: int.
        batch_size: int.
        runs: int. Number of batches.

    Returns:
        Integer array `(runs, batch_size)` of row numbers.
    """
    order = np.random.default_rng(0).permutation(num_examples)
    return np.resize(order, (runs, batch_size))


def what_is_timed():
    """`"SavedModel"`, or `"model"` on backends that write none."""
    return "SavedModel" if _writes_saved_models() else "model"


@contextlib.contextmanager
def timed_models(members, task, saved_models):
    """What is timed of each model: a SavedModel, or the model itself.

    Args:
        members: dict of name to the classifiers that answer together, most
            often one alone.
        task: `keras_distill.tasks.Task`.
        saved_models: dict of name to the folder of a SavedModel that is there
            already. The others are written into a folder that is gone when
            the context ends.

    Yields:
        dict of name to `TimedTogether`, of `TimedSavedModel`, on backends
        without one of `TimedModel`.
    """
    if not _writes_saved_models():
        yield {
            name: TimedTogether([TimedModel(model, task) for model in found])
            for name, found in members.items()
        }
        return
    from keras_distill.export import to_saved_model

    columns = [f"text_{number}" for number in range(len(task.text_columns))]
    with tempfile.TemporaryDirectory() as folder:

        def exported(model):
            path = tempfile.mkdtemp(dir=folder)
            to_saved_model(
                model,
                path,
                task=task,
                text_columns=columns,
                warm_up_texts=[("",) * len(columns)],
            )
            return TimedSavedModel(path, columns)

        yield {
            name: TimedTogether(
                [TimedSavedModel(saved_models[name], task.text_columns)]
                if name in saved_models
                else [exported(model) for model in found]
            )
            for name, found in members.items()
        }


class TimedTogether:
    """Models that answer one after the other, most often one alone.

    Args:
        members: list of `TimedSavedModel` or `TimedModel`.
    """

    def __init__(self, members):
        self._members = members
        self.compiles_each_length = members[0].compiles_each_length

    def prepare(self, texts, x):
        """A batch as it is handed to `answer` and to `forward`.

        Args:
            texts: the columns of its texts.
            x: list of the token ids of each member.
        """
        prepared = [
            member.prepare(texts, ids)
            for member, ids in zip(self._members, x, strict=True)
        ]
        return tuple(zip(*prepared, strict=True))

    def answer(self, texts):
        """What the members answer to raw texts."""
        return [
            member.answer(of_member)
            for member, of_member in zip(self._members, texts, strict=True)
        ]

    def forward(self, x):
        """What the members answer to token ids."""
        return [
            member.forward(of_member)
            for member, of_member in zip(self._members, x, strict=True)
        ]


class TimedSavedModel:
    """A SavedModel as whoever serves it calls it.

    Args:
        path: path of a folder that `to_saved_model` wrote.
        text_columns: names of its text inputs, in the order of the texts.
    """

    compiles_each_length = False

    def __init__(self, path, text_columns):
        import tensorflow as tf

        # The signatures do not keep it alive.
        self._loaded = tf.saved_model.load(str(path))
        signatures = self._loaded.signatures
        self._serve = signatures["serving_default"]
        self._forward = signatures["token_ids"]
        self._columns = tuple(text_columns)
        found = set(self._serve.structured_input_signature[1])
        if found != set(self._columns):
            raise ValueError(
                f"`saved_models` must take the task's texts, {self._columns}. "
                f"Received: {str(path)!r}, which takes {sorted(found)}."
            )

    def prepare(self, texts, x):
        """A batch as it is handed to `answer` and to `forward`."""
        import tensorflow as tf

        names = self._forward.structured_input_signature[1]
        columns = map(tf.constant, texts)
        return (
            dict(zip(self._columns, columns, strict=True)),
            {name: tf.constant(x[name]) for name in names},
        )

    def answer(self, texts):
        """What is answered to raw texts."""
        return self._serve(**texts)

    def forward(self, x):
        """What is answered to token ids."""
        return self._forward(**x)


class TimedModel:
    """A model itself, on JAX and PyTorch, which write no SavedModel.

    Args:
        model: a KerasHub task with a preprocessor.
        task: `keras_distill.tasks.Task`.
    """

    def __init__(self, model, task):
        self._model = model
        self._task = task
        self.compiles_each_length = keras.backend.backend() == "jax"

    def prepare(self, texts, x):
        return texts, select_inputs(self._model, x, "model")

    def answer(self, texts):
        rows = self._task.unlabelled(Examples(texts))
        tokenized = self._task.tokenize(rows, self._model.preprocessor)
        return next(predict_batches(self._model, tokenized, len(tokenized)))

    def forward(self, x):
        # KerasHub's own `predict_on_batch` would run the preprocessor.
        return keras.Model.predict_on_batch(self._model, x)


def measure(timed, batches, advance):
    """Times models on the same batches, with their tokeniser and without.

    Args:
        timed: dict of name to what `timed_models` gives.
        batches: dict of name to a list of what `prepare` returned.
        advance: callable without arguments, called after every turn of a
            model.

    Returns:
        Dict of name to `np.ndarray` of shape `(batches, 2)`: seconds from raw
        texts to the answer, and from token ids.
    """
    for name, model in timed.items():
        untimed = None if model.compiles_each_length else WARM_UP
        for batch in batches[name][:untimed]:
            _time(model, batch)
    seconds = {name: [] for name in timed}
    (count,) = {len(of_model) for of_model in batches.values()}
    for start in range(0, count, TURN):
        for name, model in timed.items():
            for batch in batches[name][start : start + TURN]:
                seconds[name].append(_time(model, batch))
            advance()
    return {name: np.array(pairs) for name, pairs in seconds.items()}


def _writes_saved_models():
    return keras.backend.backend() == "tensorflow"


def num_turns(timed, runs):
    """Number of times that `measure` calls `advance`."""
    return len(timed) * -(-runs // TURN)


def _time(model, batch):
    texts, x = batch
    begun = time.perf_counter()
    _wait_for(model.answer(texts))
    answered = time.perf_counter()
    _wait_for(model.forward(x))
    return answered - begun, time.perf_counter() - answered


def _wait_for(outputs):
    # NumPy waits for the accelerator: without it only the launch is timed.
    keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)
