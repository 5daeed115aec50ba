"""Ways out of the library for a distilled student."""

from keras_distill.export.hugging_face import to_hugging_face
from keras_distill.export.preset import to_encoder_preset
from keras_distill.export.preset import to_preset

__all__ = [
    "to_encoder_preset",
    "to_hugging_face",
    "to_preset",
    "to_saved_model",
]


def __getattr__(name):
    if name != "to_saved_model":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # TensorFlow is imported by those only who ask for its format.
    try:
        from keras_distill.export.saved_model import to_saved_model
    except ModuleNotFoundError as error:
        raise ImportError(
            f"`to_saved_model` needs {error.name}, which is not installed. "
            "Install it with: pip install tensorflow tensorflow-text"
        ) from error
    return to_saved_model
