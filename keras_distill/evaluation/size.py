"""How large a classifier is: weights by part, bytes on disk."""

import os
import tempfile

import keras

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
