"""Saving and loading weights apart from an optimizer's state."""

import contextlib


@contextlib.contextmanager
def swapped_optimizer(model, optimizer):
    """Gives a model another optimizer while it is saved or loaded.

    Keras writes the state of a compiled model's optimizer beside its weights.

    Args:
        model: `keras.Model`.
        optimizer: `keras.optimizers.Optimizer` without state, or `None`.
    """
    own = getattr(model, "optimizer", None)
    model.optimizer = optimizer
    try:
        yield
    finally:
        model.optimizer = own
