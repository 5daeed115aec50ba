"""Keras's `fit` under `tf.distribute.MultiWorkerMirroredStrategy`.

Keras 3 cannot do it (keras-team/keras#20585), for two reasons that are
mended here and nowhere else.
"""

import functools

import keras
import tensorflow as tf


def are_several(strategy):
    """Whether a strategy spans several workers.

    Args:
        strategy: `tf.distribute.Strategy`.
    """
    return (
        isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        and strategy.extended._in_multi_worker_mode()
    )


def first_part(model, iterator, data_batch=None):
    """A batch that shows its shape: what the first replica gets of one.

    Keras would average the parts of a batch over the replicas, which fails
    for several workers and for parts of different sizes.

    Args:
        model: `keras.Model` made under a strategy, or under none.
        iterator: Optional epoch iterator of Keras.
        data_batch: Optional batch, which is returned if there is no iterator.
    """
    strategy = model._distribute_strategy
    if strategy is None or iterator is None:
        return data_batch
    for _, _, batches in iterator:
        return keras.tree.map_structure(
            lambda part: strategy.experimental_local_results(part)[0],
            next(batches),
        )
    return data_batch


def make_function(model, step_function):
    """Keras's loop over steps, with logs that several workers can give.

    Keras averages them over an axis that they do not have. In the logs of a
    batch stands what this worker has seen; those of an epoch are read from
    the metrics' variables, which sum over the workers.

    Args:
        model: Compiled `keras.Model` made under the strategy.
        step_function: The model's `train_step` or `test_step`.

    Returns:
        function of an iterator that runs `steps_per_execution` steps.
    """
    strategy = model.distribute_strategy

    def one_step(data):
        results = strategy.run(step_function, args=(data,))
        return keras.tree.map_structure(
            lambda value: strategy.experimental_local_results(value)[0],
            results,
        )

    if not model.run_eagerly:
        one_step = tf.function(
            one_step, reduce_retracing=True, jit_compile=model.jit_compile
        )

    def steps(iterator):
        results = one_step(next(iterator))
        for _ in range(model.steps_per_execution - 1):
            try:
                data = next(iterator)
            except StopIteration:
                break
            results = one_step(data)
        return results

    return steps


def mend(model):
    """Lets a stock Keras model train on several workers, as a distiller does.

    Args:
        model: `keras.Model` made under a strategy. Changed in place; under
            any other strategy nothing changes.
    """
    if not are_several(model.distribute_strategy):
        return
    build = model._maybe_symbolic_build

    def maybe_symbolic_build(iterator=None, data_batch=None):
        build(data_batch=first_part(model, iterator, data_batch))

    model._maybe_symbolic_build = maybe_symbolic_build
    model._make_function = functools.partial(make_function, model)
