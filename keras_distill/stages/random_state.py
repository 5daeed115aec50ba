"""The random generators that belong to no layer."""

import contextlib
import random

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import global_seed_generator
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED
from keras.src.utils.rng_utils import get_random_seed


@contextlib.contextmanager
def seed_put_back():
    """Leaves Keras's note of a seed as it is before the block.

    Yields:
        bool. Whether somebody set a seed.
    """
    before = get_random_seed()
    try:
        yield before is not None
    finally:
        global_state.set_global_attribute(GLOBAL_RANDOM_SEED, before)


def begin(seed):
    """Sets all generators from a seed.

    Args:
        seed: int.
    """
    keras.utils.set_random_seed(seed)
    # Made now, since making it draws a number.
    _read_backend()


def read():
    """Reads the global generators of Python, NumPy, Keras and the backend.

    What TensorFlow's own `tf.random` draws is not among them; Keras and
    KerasHub do not use it.

    Returns:
        dict of plain values and arrays.
    """
    version, numbers, gauss = random.getstate()
    name, keys, *position = np.random.get_state()
    return {
        "python": [version, np.array(numbers, "uint32"), gauss],
        "numpy": [name, keys, *position],
        "backend": _read_backend(),
    }


def restore(state):
    """Sets the generators to what `read` returned.

    Args:
        state: dict.
    """
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers.tolist()), gauss))
    np.random.set_state(tuple(state["numpy"]))
    _restore_backend(state["backend"])


def _read_backend():
    if keras.backend.backend() == "torch":
        import torch

        return [
            generator.numpy()
            for generator in (
                torch.get_rng_state(),
                *torch.cuda.get_rng_state_all(),
            )
        ]
    if keras.backend.backend() == "jax":
        # It has no generator of its own.
        return []
    return [global_seed_generator().state.numpy()]


def _restore_backend(states):
    if keras.backend.backend() == "torch":
        import torch

        cpu, *others = [torch.tensor(state) for state in states]
        torch.set_rng_state(cpu)
        if others:
            torch.cuda.set_rng_state_all(others)
    elif keras.backend.backend() != "jax":
        global_seed_generator().state.assign(states[0])
