"""How large a classifier is: weights by part, bytes on disk."""

import os
import tempfile

import keras

from keras_distill.evaluation.comparison import Parameters


def count_parameters(model):
    """Counts a classifier's weights by part.

    The encoder is the sum over `model.backbone.transformer_layers`. The
    embeddings are the backbone's layers in front of the first of them. What
    is left of `total` is the pooler and the head.

    Args:
        model: a KerasHub text classifier.

    Returns:
        `Parameters`.
    """
    backbone = model.backbone
    layers = backbone.layers
    first = layers.index(backbone.transformer_layers[0])
    return Parameters(
        total=model.count_params(),
        embeddings=_count(layers[:first]),
        encoder=_count(backbone.transformer_layers),
    )


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
