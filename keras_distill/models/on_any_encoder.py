"""Tasks whose heads read the hidden states of any KerasHub text encoder."""

import keras_hub

# KerasHub exports what tells the kinds of presets apart under no public name.
from keras_hub.src.utils.preset_utils import get_preset_loader

from keras_distill.io.saving import local_path
from keras_distill.models import hugging_face
from keras_distill.models.mobilebert_start import start_on_mobilebert
from keras_distill.models.own_task import OwnTask
from keras_distill.models.saving import saved_task_class


class OnAnyEncoder(OwnTask):
    """A KerasHub task that stands on any text encoder.

    KerasHub finds a task by the class of its backbone, so this one is loaded
    by its own class.
    """

    # What Hugging Face calls such a head; "" where it has none.
    hugging_face_head = ""

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Loads a model with its head, or starts one on any text encoder.

        Args:
            preset: str. A folder that `save_to_preset` of this class wrote, or
                a Hugging Face folder with such a head; or, with
                `num_classes`, any KerasHub preset or Hugging Face folder of a
                text encoder, whose head is then new, and what
                `MobileBertBackbone.from_preset` takes. The name of an
                architecture has no tokenizer: pass a `preprocessor` for raw
                text.
            load_weights: bool. Defaults to `True`.
            **kwargs: Arguments of the class; `num_classes` makes a new head.
                `dtype` is the backbone's.

        Returns:
            A model of this class.

        Raises:
            ValueError: If the preset has no head of this class and
                `num_classes` is not given.
        """
        if "://" not in str(preset):
            preset = local_path(preset)
        if hugging_face.is_hugging_face_folder(preset):
            return hugging_face.load_task(
                cls,
                hugging_face.Checkpoint(preset),
                load_weights=load_weights,
                **kwargs,
            )
        if "num_classes" not in kwargs:
            return _load_with_head(cls, preset, load_weights, kwargs)
        started = start_on_mobilebert(cls, preset, load_weights, kwargs)
        if started is not None:
            return started
        if "backbone" not in kwargs:
            kwargs["backbone"] = keras_hub.models.Backbone.from_preset(
                str(preset),
                load_weights=load_weights,
                dtype=kwargs.pop("dtype", None),
            )
        if "preprocessor" not in kwargs:
            preprocessor_class = keras_hub.models.TextClassifierPreprocessor
            kwargs["preprocessor"] = preprocessor_class.from_preset(str(preset))
        return cls(**kwargs)


def hidden_states(output):
    """The hidden states of tokens among a backbone's outputs, or `None`."""
    if isinstance(output, dict):
        output = output.get("sequence_output")
    return output if len(getattr(output, "shape", ())) == 3 else None


def check_gives_hidden_states(backbone):
    """Raises unless a backbone gives a hidden state for each token."""
    if hidden_states(backbone.output) is None:
        raise ValueError(
            "`backbone` must give hidden states (batch, tokens, width), "
            'alone or as "sequence_output". Received: '
            f"{type(backbone).__name__} with the output {backbone.output}"
        )


def _load_with_head(cls, preset, load_weights, kwargs):
    saved_class = saved_task_class(preset)
    if saved_class is None or not issubclass(saved_class, cls):
        raise ValueError(
            f"{str(preset)!r} is no folder of a saved {cls.__name__}. Pass "
            "`num_classes` to start a new head on its encoder."
        )
    loader = get_preset_loader(str(preset))
    return loader.load_task(cls, load_weights, True, **kwargs)
