"""A BERT with the two heads of its pre-training."""

import warnings

import keras
import keras_hub

# KerasHub exports what tells the kinds of presets apart under no public name.
from keras_hub.src.utils.preset_utils import get_preset_loader

from keras_distill.io.saving import local_path
from keras_distill.models import hugging_face
from keras_distill.models.masked_lm_head import make_masked_lm_head
from keras_distill.models.own_task import CompiledByDefault
from keras_distill.models.own_task import OwnTask
from keras_distill.models.saving import saved_task_class

MASKED_LM = "masked_lm"
NEXT_SENTENCE = "next_sentence"

# BERT's own, for weights that start at random.
_INITIALIZER_RANGE = 0.02


@keras.saving.register_keras_serializable("keras_distill")
class PretrainingModel(CompiledByDefault, OwnTask, keras_hub.models.Task):
    """A BERT with the two heads of its pre-training.

    One predicts masked words, as that of `MaskedLanguageModel`; the other
    whether the second text follows the first, by a dense layer above the
    backbone's pooled output. It takes any backbone of BERT's kind, and trains
    on `keras_distill.corpora.MaskedSentencePairs`.

    It reads `mask_positions` `(B, N)` beside the encoder's inputs, and gives
    `"masked_lm"`, logits `(B, N, V)`, and `"next_sentence"`, logits `(B, 2)`:
    0 where the second text follows, 1 where it is a random one.

    Args:
        backbone: `keras_hub.models.Backbone` with `token_embedding`, which
            gives `"sequence_output"` `(B, L, D)` and `"pooled_output"`
            `(B, D)`.
        preprocessor: Optional KerasHub preprocessor. It carries the tokenizer.
            Defaults to `None`.
        activation: Activation of the dense layer above the masked words.
            Defaults to that of the backbone, or to `"gelu"` where it does not
            tell.
        layer_norm_epsilon: float. Added to the variance. Defaults to that of
            the backbone, or to `1e-12`.
        **kwargs: Further arguments of `keras_hub.models.Task`.

    Raises:
        ValueError: If the backbone lacks what the heads read.

    Example:

    ```python
    import numpy as np
    from keras_distill import models

    backbone = models.MobileBertBackbone.from_preset(
        "mobilebert", load_weights=False, vocabulary_size=100, num_layers=1
    )
    model = models.PretrainingModel(backbone)
    ids = np.ones((3, 5), "int32")
    outputs = model(
        {
            "token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids,
            "mask_positions": np.array([[2], [1], [4]]),
        }
    )
    print({name: tuple(logits.shape) for name, logits in outputs.items()})
    ```

    Reference:
        - BERT, https://arxiv.org/abs/1810.04805.
        - MobileBERT, https://arxiv.org/abs/2004.02984.
    """

    def __init__(
        self,
        backbone,
        preprocessor=None,
        activation=None,
        layer_norm_epsilon=None,
        **kwargs,
    ):
        # === Validation ===
        read = ("sequence_output", "pooled_output")
        if not isinstance(backbone.output, dict) or not set(read) <= set(
            backbone.output
        ):
            raise ValueError(
                '`backbone` must give "sequence_output" and "pooled_output", '
                "as a BERT does. Received: "
                f"{type(backbone).__name__} with the output {backbone.output}"
            )

        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.masked_lm_head = make_masked_lm_head(
            backbone, activation, layer_norm_epsilon
        )
        self.next_sentence_dense = keras.layers.Dense(
            2,
            kernel_initializer=keras.initializers.TruncatedNormal(
                stddev=_INITIALIZER_RANGE
            ),
            dtype=backbone.dtype_policy,
            name="next_sentence",
        )

        # === Functional Model ===
        positions = keras.Input((None,), dtype="int32", name="mask_positions")
        outputs = backbone(backbone.input)
        states, pooled = (outputs[name] for name in read)
        super().__init__(
            inputs={**backbone.input, "mask_positions": positions},
            outputs={
                MASKED_LM: self.masked_lm_head(states, positions),
                NEXT_SENTENCE: self.next_sentence_dense(pooled),
            },
            **kwargs,
        )

        # === Config ===
        self.activation = self.masked_lm_head.intermediate_activation
        self.layer_norm_epsilon = self.masked_lm_head.layer_norm_epsilon

    def compile(
        self,
        optimizer="auto",
        loss="auto",
        *,
        weighted_metrics="auto",
        **kwargs,
    ):
        """Configures training, as `keras.Model.compile` does.

        Args:
            optimizer: As in Keras. Defaults to `"auto"`: Adam, 5e-5.
            loss: As in Keras. Defaults to `"auto"`: the cross-entropies of
                both heads, each averaged over its sample weights.
            weighted_metrics: As in Keras. Defaults to `"auto"`: the accuracy
                of both heads.
            **kwargs: As in Keras.
        """
        heads = (MASKED_LM, NEXT_SENTENCE)
        if optimizer == "auto":
            optimizer = keras.optimizers.Adam(5e-5)
        if loss == "auto":
            loss = {
                head: keras.losses.SparseCategoricalCrossentropy(
                    from_logits=True, reduction="mean_with_sample_weight"
                )
                for head in heads
            }
        if weighted_metrics == "auto":
            weighted_metrics = {
                head: [keras.metrics.SparseCategoricalAccuracy()]
                for head in heads
            }
        super().compile(
            optimizer=optimizer,
            loss=loss,
            weighted_metrics=weighted_metrics,
            **kwargs,
        )

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Loads a model with both heads.

        Args:
            preset: str or path. A folder that `save_to_preset` of such a model
                wrote; a Hugging Face folder of a BERT or MobileBERT that was
                saved with the heads of its pre-training; a folder with a
                checkpoint and a config of MobileBERT's original code; or the
                name of one of its architectures, such as `"mobilebert"`, with
                `load_weights=False`. Where there is the head of masked words
                alone, the other is new, with a warning.
            load_weights: bool. Defaults to `True`.
            **kwargs: Arguments of the class. `dtype` is the backbone's.

        Returns:
            `PretrainingModel`.

        Raises:
            ValueError: If the folder holds no head of masked words.
        """
        # They stand on this module.
        from keras_distill.models import mobilebert_release
        from keras_distill.models import mobilebert_start

        preset = local_path(preset)
        if hugging_face.is_hugging_face_folder(preset):
            checkpoint = hugging_face.Checkpoint(preset)
            return _from_hugging_face(cls, checkpoint, load_weights, kwargs)
        started = mobilebert_start.start_on_mobilebert(
            cls, preset, load_weights, kwargs
        )
        if started is not None:
            release = mobilebert_release.files_of_release(preset)
            if release is not None and load_weights:
                mobilebert_release.ReleasedCheckpoint(*release).load_heads(
                    started
                )
            return started
        saved_class = saved_task_class(preset)
        if saved_class is None or not issubclass(saved_class, cls):
            raise ValueError(
                f"{str(preset)!r} is no folder of a saved {cls.__name__}. To "
                "start new heads on its encoder, load that with "
                "`keras_hub.models.Backbone.from_preset`, and pass it to "
                f"`{cls.__name__}`."
            )
        loader = get_preset_loader(str(preset))
        return loader.load_task(saved_class, load_weights, True, **kwargs)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }


def _from_hugging_face(cls, checkpoint, load_weights, kwargs):
    if not hugging_face.has_masked_lm_head(checkpoint):
        raise ValueError(
            f"{checkpoint.folder} holds a {checkpoint.architecture}, without "
            "the heads of its pre-training. Take the checkpoint that it was "
            "fine-tuned from, saved as one ForPreTraining."
        )
    settings = checkpoint.settings
    backbone = hugging_face.load_encoder(
        checkpoint, load_weights, kwargs.pop("dtype", None)
    )
    words = {
        "activation": settings.activation,
        "layer_norm_epsilon": settings.layer_norm_epsilon,
        **kwargs,
    }
    if "preprocessor" not in words:
        words["preprocessor"] = hugging_face.load_preprocessor(checkpoint)
    model = cls(backbone, **words)
    if not load_weights:
        return model
    hugging_face.load_masked_lm_head(model.masked_lm_head, checkpoint)
    if hugging_face.has_next_sentence_head(checkpoint):
        hugging_face.load_next_sentence_head(
            model.next_sentence_dense, checkpoint
        )
    else:
        warnings.warn(
            f"{checkpoint.folder} holds a {checkpoint.architecture}, which "
            "tells nothing of next sentences: that head is new and not "
            "trained.",
            stacklevel=3,
        )
    return model
