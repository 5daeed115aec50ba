"""How training is spread over devices and machines."""

import contextlib
import json
import os

import keras

from keras_distill.checks.arguments import check_int

STRATEGIES = ("none", "mirrored", "multiworker", "tpu")


def make_strategy(name):
    """Makes a `tf.distribute` strategy by its name.

    Models must be made within its `scope()`. A `keras_distill.Distiller`
    then averages over the whole batch, whatever part of it a replica gets,
    so that a strategy ends with the weights that one device would end with.

    Args:
        name: str. `"none"`: one device. `"mirrored"`: all GPUs of this
            machine, or its logical CPUs. `"multiworker"`: all machines that
            the environment variable `TF_CONFIG` names, on each of which the
            same script runs. `"tpu"`: the TPU that
            `tf.distribute.cluster_resolver.TPUClusterResolver` finds.

    Returns:
        `tf.distribute.Strategy`.

    Raises:
        ValueError: If there is no such strategy, or what it needs is not
            there.

    Example:

    ```python
    from keras_distill import distribution

    strategy = distribution.make_strategy("mirrored")
    with strategy.scope():
        ...  # Make the models and the distiller.
    ```
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"`strategy` must be one of {', '.join(STRATEGIES)}. "
            f"Received: {name!r}"
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "`tf.distribute` needs Keras's TensorFlow backend. Received: "
            f"strategy={name!r} on {keras.backend.backend()}. Use "
            '"none", and on JAX `keras.distribution` (see '
            "docs/distribution.md)."
        )
    import tensorflow as tf

    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([d.name for d in devices])
    if name == "multiworker":
        _check_workers()
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        return _tpu_strategy(tf)
    return tf.distribute.get_strategy()


def scope(name):
    """The context in which the models of a strategy are made.

    Args:
        name: str. As for `make_strategy`; `"none"` goes with any backend.

    Returns:
        Context manager.
    """
    if name == "none":
        return contextlib.nullcontext()
    return make_strategy(name).scope()


def _check_workers():
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        workers = config["cluster"]["worker"]
        is_told = bool(workers) and "index" in config["task"]
    except (ValueError, KeyError, TypeError):
        is_told = False
    if not is_told:
        raise ValueError(
            'strategy="multiworker" needs the environment variable TF_CONFIG '
            "with the machines and the place of this one, such as "
            '{"cluster": {"worker": ["a:2222", "b:2222"]}, '
            '"task": {"type": "worker", "index": 0}}. '
            f"Received: TF_CONFIG={text!r}"
        )


def _tpu_strategy(tf):
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.NotFoundError) as error:
        raise ValueError(
            f'strategy="tpu" needs a TPU, and none was found: {error}'
        ) from error
    return tf.distribute.TPUStrategy(resolver)


def fixed_shapes(sequence_length, steps_per_execution=32):
    """What a TPU, and XLA in general, wants of batches and of `compile`.

    Args:
        sequence_length: int. The length of all batches.
        steps_per_execution: int. Steps that run without a word to the host.

    Returns:
        Two dicts: arguments of `TokenizedExamples.batches` and of `compile`.

    Example:

    ```python
    from keras_distill import distribution

    batch_options, compile_options = distribution.fixed_shapes(64)
    ```
    """
    check_int("sequence_length", sequence_length, minimum=1)
    check_int("steps_per_execution", steps_per_execution, minimum=1)
    return (
        {"fixed_length": sequence_length, "drop_remainder": True},
        {"jit_compile": True, "steps_per_execution": steps_per_execution},
    )
