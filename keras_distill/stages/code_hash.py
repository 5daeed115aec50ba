"""A hash of what functions and objects do: code, settings, data they reach."""

import dis
import functools
import os
import sys
import sysconfig
import types

import keras
import numpy as np

from keras_distill.io import content_hash

_FOLDERS = tuple(
    {
        os.path.realpath(path) + os.sep
        for name, path in sysconfig.get_paths().items()
        if name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
)
# Where code comes from.
_OF_USER, _INSTALLED = "user", "installed"
_WITH_DATA = ("keras_distill.tasks", "recipes")
_OWN = (*_WITH_DATA, "keras_distill")
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)


def code_hash(*values):
    """A hash of functions and objects that tells what they do."""
    # A function counts with its code, its defaults, and what it reads from
    # around it: numbers and texts that it does not set itself, other functions,
    # and arrays and examples, in whatever objects they lie. Of models the kind
    # counts, since their weights change while they train; of lists and other
    # objects the data in them, since a measure may count its calls there; of
    # what is installed the name.
    made = content_hash()
    for value in values:
        _Reader(made).add(value)
    return made.hexdigest()


def object_hash(value, files=None):
    """A hash of an object with all its settings and data, and its code."""

    def describe(part):
        if isinstance(part, (keras.layers.Layer, keras.callbacks.Callback)):
            return type(part).__name__
        if isinstance(part, keras.Variable):
            return "variable"
        if callable(part) and isinstance(
            part,
            (
                types.FunctionType,
                types.MethodType,
                types.BuiltinFunctionType,
                functools.partial,
                type,
            ),
        ):
            return code_hash(part)
        if isinstance(part, keras.DTypePolicy):
            return part.name
        return None

    made = content_hash(
        files=files, describe=describe, without=("name", "_name")
    )
    for part in value if isinstance(value, (list, tuple)) else [value]:
        made.add(code_hash(type(part)))
        made.add(part)
    return made.hexdigest()


class _Reader:
    """Adds what functions read to a hash."""

    def __init__(self, made):
        self._made = made
        self._seen = set()

    def add(self, value, is_constant=True):
        """Adds a value."""
        # A number or a text that is no setting may change while a stage runs.
        if isinstance(value, _PLAIN):
            if is_constant:
                self._made.add(value)
            return
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, (types.ModuleType, type)):
            self._made.add(getattr(value, "__qualname__", value.__name__))
            if isinstance(value, type):
                self._add_class(value)
        elif isinstance(value, functools.partial):
            self.add(value.func)
            self.add((*value.args, *sorted(value.keywords.items())))
        elif isinstance(value, types.MethodType):
            self.add(value.__func__)
            self.add(value.__self__)
        elif isinstance(value, types.FunctionType):
            self._add_function(value)
        elif isinstance(value, np.ndarray) or _is_tensor(value):
            self._made.add(np.asarray(value))
        elif isinstance(value, tuple):
            for entry in value:
                self.add(entry, is_constant)
        elif isinstance(value, (list, set, frozenset)):
            for entry in value:
                self.add(entry, is_constant=False)
        elif isinstance(value, dict):
            for key in sorted(value, key=str):
                self.add(value[key], is_constant=False)
        else:
            self._add_object(value)

    def _add_object(self, value):
        self._made.add(type(value).__qualname__)
        for name in ("fingerprints", "fingerprint"):
            if callable(getattr(value, name, None)):
                self._made.add(getattr(value, name)())
                return
        if hasattr(value, "to_numpy"):
            self._made.add(value)
            return
        is_model = isinstance(
            value, (keras.layers.Layer, keras.callbacks.Callback)
        )
        origin = _origin(type(value))
        if is_model or origin not in (_OF_USER, *_WITH_DATA):
            return
        self._add_class(type(value))
        attributes = getattr(value, "__dict__", {})
        for name in sorted(attributes, key=str):
            self.add(attributes[name], is_constant=False)

    def _add_class(self, kind):
        for name, function in _functions_of(kind):
            self._made.add(name)
            self.add(function)

    def _add_function(self, function):
        self._made.add(function.__qualname__)
        origin = _origin(function)
        if origin == _INSTALLED:
            return
        code = function.__code__
        if origin == _OF_USER:
            self._made.add(_without_places(code, function.__doc__))
        self.add(function.__defaults__ or ())
        self.add(tuple(sorted((function.__kwdefaults__ or {}).items())))
        stored = _names(code, "STORE_DEREF")
        for name, cell in zip(
            code.co_freevars, function.__closure__ or (), strict=True
        ):
            try:
                self.add(cell.cell_contents, is_constant=name not in stored)
            # It has no value yet.
            except ValueError:
                continue
        if origin != _OF_USER:
            return
        stored = _names(code, "STORE_GLOBAL")
        for name in sorted(_names(code, "LOAD_GLOBAL", "LOAD_NAME")):
            if name in function.__globals__:
                self.add(
                    function.__globals__[name], is_constant=name not in stored
                )


def _functions_of(kind):
    """The functions of a class and of those below it, as far as a user's."""
    for base in kind.__mro__:
        if _origin(base) != _OF_USER:
            continue
        for name, value in sorted(vars(base).items()):
            value = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(value, types.FunctionType):
                yield name, value


def _names(code, *operations):
    """The names that code works on in some way, in functions within too."""
    found = {
        step.argval
        for step in dis.get_instructions(code)
        if step.opname in operations
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names(constant, *operations)
    return found


def _without_places(code, doc=None):
    """What code does, without where it stands."""
    constants = []
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            constants.append(_without_places(one))
        elif isinstance(one, frozenset):
            # Texts in it stand in another order in each process.
            constants.append(sorted(map(repr, one)))
        else:
            # A function without a text about it has none there.
            constants.append(repr(None if one is doc else one))
    return [code.co_code, constants, list(code.co_names), code.co_argcount]


def _is_tensor(value):
    return not isinstance(value, keras.Variable) and keras.ops.is_tensor(value)


def _origin(value):
    """Whether a function or a class is a user's, installed, or of what room."""
    name = getattr(value, "__module__", None) or ""
    for room in _OWN:
        if name == room or name.startswith(f"{room}."):
            return room
    if name == "builtins":
        return _INSTALLED
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is not None:
        is_installed = os.path.realpath(file).startswith(_FOLDERS)
    else:
        # Typed in by hand, or a part of Python itself.
        is_installed = name in sys.modules and name != "__main__"
    return _INSTALLED if is_installed else _OF_USER
