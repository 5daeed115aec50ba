"""How large classifiers are, and how long they take, in turns."""

import os
import tempfile
import time

import keras
import numpy as np

from keras_distill import models
from keras_distill.evaluation.comparison import Parameters


def count_parameters(model):
    """Counts a classifier's weights by part.

    The embeddings are the backbone's layers in front of its encoder. What is
    left of `total` is the pooler and the head.

    Args:
        model: a KerasHub text classifier.

    Returns:
        `Parameters`.
    """
    encoder = encoder_layers(model.backbone)
    layers = model.backbone.layers
    return Parameters(
        total=model.count_params(),
        embeddings=_count(layers[: layers.index(encoder[0])]),
        encoder=_count(encoder),
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


# Untimed batches per model before the clock starts: they trace the functions
# and fill caches and memory pools.
WARM_UP = 5
# Batches in a row for one model before the next has its turn. Long enough for
# a model to work from a warm cache, as when it serves alone; short enough for
# a slow spell of the machine to touch all models.
TURN = 10


def sample_batches(texts, batch_size, runs):
    """Draws the batches of raw texts that are timed.

    Texts are taken in a fixed random order and from the start again when
    there are fewer than needed.

    Args:
        texts: tuple of lists of str, one list per text of an example.
        batch_size: int.
        runs: int. Number of batches.

    Returns:
        List of tuples of arrays of str of shape `(batch_size,)`.
    """
    order = np.random.default_rng(0).permutation(len(texts[0]))
    batches = np.resize(order, (runs, batch_size))
    columns = [np.array(column, dtype=object) for column in texts]
    return [tuple(column[rows] for column in columns) for rows in batches]


def measure(pipelines, batches, advance):
    """Times tokeniser and model of each pipeline on the same batches.

    Args:
        pipelines: dict of name to what `make_text_pipeline` returns.
        batches: list of tuples of arrays of str.
        advance: callable without arguments, called after every turn of a
            model.

    Returns:
        Dict of name to `np.ndarray` of shape `(len(batches), 2)`: seconds of
        the tokeniser and of the model.
    """
    texts = {
        name: [pipeline.texts(batch) for batch in batches]
        for name, pipeline in pipelines.items()
    }
    for name, pipeline in pipelines.items():
        untimed = None if pipeline.compiles_each_length else WARM_UP
        for batch in texts[name][:untimed]:
            _time(pipeline, batch)
    seconds = {name: [] for name in pipelines}
    for start in range(0, len(batches), TURN):
        for name, pipeline in pipelines.items():
            for batch in texts[name][start : start + TURN]:
                seconds[name].append(_time(pipeline, batch))
            advance()
    return {name: np.array(pairs) for name, pairs in seconds.items()}


def num_turns(pipelines, batches):
    """Number of times that `measure` calls `advance`."""
    return len(pipelines) * -(-len(batches) // TURN)


def _time(pipeline, batch):
    start = time.perf_counter()
    features = pipeline.tokenize(batch)
    tokenized = time.perf_counter()
    # NumPy waits for the accelerator: without it only the launch is timed.
    keras.ops.convert_to_numpy(pipeline.forward(features))
    return tokenized - start, time.perf_counter() - tokenized
