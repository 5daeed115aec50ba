"""A tokenizer as it is saved in the graph of a served model."""

import types

import tensorflow as tf

from keras_distill.packing.graph_byte_pairs import BytePairs
from keras_distill.packing.graph_byte_pairs import cuts_as_keras_hub

_Resource = tf.saved_model.experimental.TrackableResource
# What a tokenizer may refer to, but is not made of.
_NO_PARTS = (type, types.ModuleType, types.FunctionType, tf.Tensor)


def graph_tokenizer(tokenizer):
    """What turns texts into token ids in the graph.

    Args:
        tokenizer: a KerasHub tokenizer, or any that can be called in a
            `tf.function`.

    Returns:
        A function of a string tensor `(batch,)` that gives an integer
        `tf.RaggedTensor` `(batch, None)`.
    """
    if cuts_as_keras_hub(tokenizer):
        return BytePairs(tokenizer)
    return tokenizer


def resources_of(tokenizer):
    """The tables and models of a tokenizer that a SavedModel must hold.

    Args:
        tokenizer: what `graph_tokenizer` returned.

    Returns:
        List of trackable resources.
    """
    found, seen, open_ = [], set(), [tokenizer]
    while open_:
        value = open_.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, _Resource):
            found.append(value)
        elif isinstance(value, dict):
            open_.extend(value.values())
        elif isinstance(value, (list, tuple, set)):
            open_.extend(value)
        elif not isinstance(value, _NO_PARTS):
            open_.extend(getattr(value, "__dict__", {}).values())
    return found
