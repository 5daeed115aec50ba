"""The state of a training, and its last ones on disk.

A state is plain values and arrays: the variables of the model and of its
optimizer, by place, and the random generators that belong to no layer.
"""

import contextlib
import json
import random
import re

import keras
import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import global_seed_generator
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED
from keras.src.utils.rng_utils import get_random_seed

from keras_distill.io.hashes import bytes_hash
from keras_distill.io.saving import UNFINISHED
from keras_distill.io.saving import replaced_file

_NAME = re.compile(r"checkpoint-(?P<number>\d{6,})-(?P<hash>[0-9a-f]{64})\..*")
_KEY = "state"
_ARRAY = "__array__"
_DTYPE = "__dtype__"


class Checkpoints:
    """The last two states of a training, in a folder."""

    # A state is one file, written under a temporary name and renamed; its name
    # holds the SHA-256 of its content, so that nothing damaged is ever read.

    def __init__(self, folder):
        self._folder = folder
        self._last = None

    def write(self, state):
        """Writes a state, and removes all but the one before."""
        data = pack(state)
        number = max((n for n, _ in self._numbered()), default=0) + 1
        path = self._folder / (
            f"checkpoint-{number:06d}-{bytes_hash(data)}.safetensors"
        )
        with replaced_file(path) as temporary:
            temporary.write_bytes(data)
        self._remove_all_but(self._last, path)
        self._last = path

    def read(self):
        """Reads the newest state that is whole."""
        complaints = []
        for _, path in sorted(self._numbered(), reverse=True):
            try:
                state = _read(path)
            except ValueError as error:
                complaints.append(str(error))
            else:
                self._last = path
                return state, complaints
        if complaints:
            raise ValueError(
                f"{' '.join(complaints)} There is no earlier checkpoint left: "
                f"remove the folder {self._folder} to begin its stage anew."
            )
        return None, []

    def has_trained(self):
        """Whether there is more than the first one, that of the start."""
        return any(number > 1 for number, _ in self._numbered())

    def remove(self):
        """Removes all checkpoints."""
        self._remove_all_but()

    def _numbered(self):
        """Pairs of number and path, in no order."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match:
                    yield int(match["number"]), path

    def _remove_all_but(self, *kept):
        unfinished = self._folder.glob(f"{UNFINISHED}checkpoint-*")
        for path in (*unfinished, *(path for _, path in self._numbered())):
            if path not in kept:
                path.unlink(missing_ok=True)


def _read(path):
    data = path.read_bytes()
    if bytes_hash(data) != _NAME.fullmatch(path.name)["hash"]:
        raise ValueError(
            f"The checkpoint {path} is damaged: its content is not what was "
            "written."
        )
    try:
        return unpack(data)
    except ValueError as error:
        raise ValueError(
            f"The checkpoint {path} is damaged: {error}."
        ) from error


def pack(state):
    """Packs a state into the bytes of a safetensors file."""
    # The arrays are its tensors; the rest stands in its metadata as JSON.
    arrays = {}
    frame = _take_out(state, "", arrays)
    return safetensors.numpy.save(arrays, {_KEY: json.dumps(frame)})


def unpack(data):
    """Gives back what `pack` packed."""
    try:
        header_size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + header_size])
        frame = json.loads(header["__metadata__"][_KEY])
        arrays = safetensors.numpy.load(data)
        return _put_back(frame, arrays)
    # Whatever damage does to a parser, it must not stop the program.
    except (
        safetensors.SafetensorError,
        ArithmeticError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"no packed state ({error})") from error


def _take_out(value, path, arrays):
    """The state with a mark where each array was."""
    if isinstance(value, dict):
        return {
            k: _take_out(v, f"{path}/{k}", arrays) for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [
            _take_out(v, f"{path}/{i}", arrays) for i, v in enumerate(value)
        ]
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray):
        return value
    mark = {_ARRAY: path}
    if value.dtype == ml_dtypes.bfloat16:
        # The format knows it, its NumPy reader does not.
        mark[_DTYPE] = "bfloat16"
        value = value.view("uint16")
    arrays[path] = np.asarray(value, order="C")
    return mark


def _put_back(value, arrays):
    if isinstance(value, list):
        return [_put_back(entry, arrays) for entry in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY not in value:
        return {key: _put_back(entry, arrays) for key, entry in value.items()}
    array = arrays[value[_ARRAY]]
    return array.view(ml_dtypes.bfloat16) if _DTYPE in value else array


def read_variables(variables):
    """Copies the values of variables."""
    # A scalar comes as a number from some backends.
    return [np.asarray(variable.numpy()) for variable in variables]


def assign_variables(variables, values, what):
    """Gives variables the values that `read` copied."""
    # By their place: Keras counts up the names that it makes, and a run that
    # goes on makes fewer.
    check_variables(variables, values, what)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def check_variables(variables, values, what):
    """Raises unless values fit variables, in number, type and shape."""
    found = values if isinstance(values, list) else [values]
    if len(variables) != len(found):
        raise ValueError(
            f"The saved {what} does not fit: it has {len(found)} variables, "
            f"the one now has {len(variables)}."
        )
    for variable, value in zip(variables, found, strict=True):
        now = f"{variable.dtype} {tuple(variable.shape)}"
        there = type(value).__name__
        if isinstance(value, np.ndarray):
            there = f"{value.dtype.name} {value.shape}"
        if now != there:
            raise ValueError(
                f"The saved {what} does not fit: '{variable.path}' is {there} "
                f"there, {now} now."
            )


@contextlib.contextmanager
def seed_put_back():
    """Leaves Keras's note of a seed as it is before the block."""
    before = get_random_seed()
    try:
        yield before is not None
    finally:
        global_state.set_global_attribute(GLOBAL_RANDOM_SEED, before)


def begin_random(seed):
    """Sets all generators from a seed."""
    keras.utils.set_random_seed(seed)
    # Made now, since making it draws a number.
    _read_backend()


def read_random():
    """Reads the global generators of Python, NumPy, Keras and the backend."""
    # What TensorFlow's own `tf.random` draws is not among them; Keras and
    # KerasHub do not use it.
    version, numbers, gauss = random.getstate()
    name, keys, *position = np.random.get_state()
    return {
        "python": [version, np.array(numbers, "uint32"), gauss],
        "numpy": [name, keys, *position],
        "backend": _read_backend(),
    }


def restore_random(state):
    """Sets the generators to what `read` returned."""
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
