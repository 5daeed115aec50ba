"""What a recipe does differently on several devices."""

import contextlib

import keras

from keras_distill import distribution
from keras_distill import models

# What models may compute in; their weights are float32 in each.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@contextlib.contextmanager
def begin_devices(strategy, precision=None):
    """Sets up the devices of a strategy, before the first model is made.

    Args:
        strategy: str. One of `keras_distill.distribution.STRATEGIES`.
        precision: Optional str, one of `PRECISIONS`: what Keras computes in
            until the end. Defaults to what it does anyway, on a TPU to
            `"mixed_bfloat16"`.

    Returns:
        Context manager that gives another one, in which the models are made
        that are trained.
    """
    before = keras.config.dtype_policy()
    scope = distribution.scope(strategy)
    if precision is None and strategy == "tpu":
        precision = "mixed_bfloat16"
    try:
        if precision is not None:
            keras.config.set_dtype_policy(precision)
        yield scope
    finally:
        keras.config.set_dtype_policy(before)


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
        model: KerasHub task, or a `keras_distill.models.MultiTaskModel`.

    Returns:
        The copy, with the same preprocessor.
    """
    copy = type(model).from_config(model.get_config())
    if not copy.built:
        copy.build(model.input_shape)
    # A config knows no tokenizer's words: they are a file beside it.
    pairs = [(model, copy)]
    if isinstance(model, models.MultiTaskModel):
        pairs = [
            (one, copy.task_models[name])
            for name, one in model.task_models.items()
        ]
    for one, its_copy in pairs:
        its_copy.preprocessor = one.preprocessor
    copy.set_weights(model.get_weights())
    return copy
