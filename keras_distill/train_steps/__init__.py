"""How a distiller trains on each of Keras's backends."""

import keras

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

__all__ = ["Steps"]
