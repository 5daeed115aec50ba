"""Ways out of the library for a distilled student."""

import importlib

from keras_distill.export.hugging_face import to_hugging_face
from keras_distill.export.preset import to_encoder_preset
from keras_distill.export.preset import to_preset

__all__ = [
    "to_encoder_preset",
    "to_hugging_face",
    "to_multi_task_saved_model",
    "to_preset",
    "to_saved_model",
]


# TensorFlow is imported by those only who ask for its format.
_OF_TENSORFLOW = {
    "to_multi_task_saved_model": "multi_task_saved_model",
    "to_saved_model": "saved_model",
}


def __getattr__(name):
    if name not in _OF_TENSORFLOW:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_OF_TENSORFLOW[name]}")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"`{name}` needs {error.name}, which is not installed. "
            "Install it with: pip install tensorflow tensorflow-text"
        ) from error
    return getattr(module, name)
