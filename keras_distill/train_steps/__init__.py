"""How a distiller trains on each of Keras's backends."""

import keras

from keras_distill.train_steps.any_model import are_several_workers
from keras_distill.train_steps.any_model import assign
from keras_distill.train_steps.any_model import mend
from keras_distill.train_steps.any_model import remake_functions

_backend = keras.backend.backend()
if _backend == "tensorflow":
    from keras_distill.train_steps.tensorflow import TensorFlowSteps as Steps
elif _backend == "jax":
    from keras_distill.train_steps.jax import JaxSteps as Steps
elif _backend == "torch":
    from keras_distill.train_steps.torch import TorchSteps as Steps
else:
    raise ImportError(
        "keras_distill trains on Keras's tensorflow, jax and torch backends. "
        f"Received: {_backend!r}. Set KERAS_BACKEND."
    )

__all__ = [
    "Steps",
    "are_several_workers",
    "assign",
    "mend",
    "remake_functions",
]
