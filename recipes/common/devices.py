"""What a recipe does differently on several devices."""

import keras

from keras_distill import distribution


def begin_strategy(strategy):
    """Sets up the devices of a strategy, before the first model is made.

    Args:
        strategy: str. One of `keras_distill.distribution.STRATEGIES`. On a
            TPU Keras computes in bfloat16 from here on.

    Returns:
        Context manager, in which the models are made that are trained.
    """
    scope = distribution.scope(strategy)
    if strategy == "tpu":
        keras.config.set_dtype_policy("mixed_bfloat16")
    return scope


def stage_options(
    strategy, sequence_length, fixed_length=False, short_batches="kept"
):
    """Options of every stage that a strategy needs.

    Args:
        strategy: str. One of `keras_distill.distribution.STRATEGIES`.
        sequence_length: int. Most tokens of an example.
        fixed_length: bool. Whether all batches are that long, whatever the
            strategy. Defaults to `False`: as long as their longest example.
        short_batches: str. Whether rows that fill no batch are `"kept"` or
            `"dropped"`. Defaults to `"kept"`, but for a TPU, which needs
            whole batches.

    Returns:
        dict of arguments of `keras_distill.stages.Stage`.
    """
    if strategy != "tpu":
        batches = {}
        if fixed_length:
            batches["fixed_length"] = sequence_length
        if short_batches == "dropped":
            batches["drop_remainder"] = True
        return {"batch_options": batches} if batches else {}
    batches, compiling = distribution.fixed_shapes(sequence_length)
    return {"batch_options": batches, "compile_options": compiling}


def on_one_device(model):
    """A copy of a model outside of the strategy that it was made in.

    Args:
        model: KerasHub task.

    Returns:
        The copy, with the same preprocessor.
    """
    copy = type(model).from_config(model.get_config())
    if not copy.built:
        copy.build(model.input_shape)
    copy.preprocessor = model.preprocessor
    copy.set_weights(model.get_weights())
    return copy
