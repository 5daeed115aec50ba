"""How the steps of several distillers take turns, on each backend."""

import keras

from keras_distill.train_steps.multi_task.mixed_batches import MixedBatches

_backend = keras.backend.backend()
if _backend == "tensorflow":
    from keras_distill.train_steps.multi_task.tensorflow import (
        TensorFlowTurns as Turns,
    )
elif _backend == "jax":
    from keras_distill.train_steps.multi_task.jax import JaxTurns as Turns
else:
    from keras_distill.train_steps.multi_task.torch import TorchTurns as Turns

__all__ = ["MixedBatches", "Turns"]
