"""A task that starts on a MobileBERT that KerasHub knows nothing of."""

from keras_distill.models.mobilebert import MobileBertBackbone
from keras_distill.models.mobilebert.architectures import architecture
from keras_distill.models.mobilebert_release import files_of_release
from keras_distill.models.mobilebert_release import preprocessor_of_release


def start_on_mobilebert(task_class, preset, load_weights, kwargs):
    """A task whose heads are new, on a named or a released MobileBERT.

    Args:
        task_class: class of a KerasHub task.
        preset: str or path.
        load_weights: bool. Whether the encoder's are loaded.
        kwargs: dict of arguments of the class; `dtype` is the backbone's.

    Returns:
        The task, or `None` where `preset` is neither the name of an
        architecture nor a folder of the original code.
    """
    is_released = files_of_release(preset) is not None
    if not is_released and architecture(preset, load_weights) is None:
        return None
    arguments = dict(kwargs)
    dtype = arguments.pop("dtype", None)
    if "backbone" not in arguments:
        arguments["backbone"] = MobileBertBackbone.from_preset(
            preset, load_weights, dtype=dtype
        )
    if is_released and "preprocessor" not in arguments:
        arguments["preprocessor"] = preprocessor_of_release(
            preset, arguments["backbone"].max_sequence_length
        )
    return task_class(**arguments)
