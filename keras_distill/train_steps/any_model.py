"""What training asks of any Keras model, on each backend."""

import keras

from keras_distill import keras_patches

_ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def mend(model):
    """Lets a stock Keras model train wherever a `Distiller` does.

    Args:
        model: `keras.Model`. Under `MultiWorkerMirroredStrategy` it is changed
            in place, otherwise nothing is.
    """
    if _ON_TENSORFLOW:
        keras_patches.fit_on_several_workers(model)


def are_several_workers(model):
    """Whether a model trains on several workers at once."""
    return _ON_TENSORFLOW and keras_patches.are_several(
        model.distribute_strategy
    )


def remake_functions(model):
    """Has a model's steps compiled anew, as they hold what is trained."""
    if keras.backend.backend() == "jax":
        # Its steps take and return what is trained and what is not apart.
        keras_patches.train_some(model)
        model.test_function = model.predict_function = None
    model.make_train_function(force=True)


def assign(variables, values):
    """Sets variables within a step, on every replica."""
    if not _ON_TENSORFLOW:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return
    import tensorflow as tf

    def update(strategy, values):
        for variable, value in zip(variables, values, strict=True):
            strategy.extended.update(
                variable.value,
                lambda replica, new: replica.assign(new),
                args=(value,),
                group=False,
            )

    tf.__internal__.distribute.interim.maybe_merge_call(
        update, tf.distribute.get_strategy(), values
    )
