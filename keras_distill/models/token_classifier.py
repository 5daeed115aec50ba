"""A class for every token, on top of any KerasHub text encoder."""

import keras
import keras_hub

# KerasHub exports what tells the kinds of presets apart under no public name.
from keras_hub.src.utils.preset_utils import get_preset_loader

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.io.saving import local_path
from keras_distill.models import hugging_face
from keras_distill.models.mobilebert_start import start_on_mobilebert
from keras_distill.models.own_task import CompiledByDefault
from keras_distill.models.own_task import OwnTask
from keras_distill.models.own_task import idle_variables
from keras_distill.models.saving import saved_task_class

# BERT's own, for weights that start at random.
_INITIALIZER_RANGE = 0.02


@keras.saving.register_keras_serializable("keras_distill")
class TokenClassifier(CompiledByDefault, OwnTask, keras_hub.models.Task):
    """A class for every token: names, parts of speech, any tags of words.

    Dropout and one dense layer over the last hidden state of every token, as
    in BERT's and XtremeDistil's tagging. The output is `(B, L, C)`: logits
    for all tokens, special ones and padding included. What stands there is
    left out by the losses of this library, by the padding mask, and by sample
    weights, as `keras_distill.tasks.TokenizedTags` makes them.

    It is used as any KerasHub task, and a teacher or student like any other.
    `fit` runs the preprocessor on texts, and takes batches that are tokenised
    already, as those of `TokenizedTags`, as they are. A pooler that the
    backbone may have feeds no token and is not trained.

    Args:
        backbone: `keras_hub.models.Backbone` that gives hidden states
            `(B, L, D)`, alone or as `"sequence_output"`.
        num_classes: int. `C`.
        preprocessor: Optional KerasHub preprocessor. It carries the tokenizer
            and makes inputs of raw text. Defaults to `None`.
        activation: Optional str or callable. Defaults to `None`: logits.
        dropout: float. Between the backbone and the dense layer. Defaults to
            `0.1`.
        **kwargs: Further arguments of `keras_hub.models.Task`.

    Raises:
        ValueError: If the backbone gives no hidden states of tokens.

    Example:

    ```python
    import keras_hub
    import numpy as np
    import keras_distill

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=32,
    )
    tagger = keras_distill.models.TokenClassifier(backbone, num_classes=7)
    ids = np.ones((3, 5), "int32")
    batch = {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids}
    print(tagger(batch).shape)
    ```

    Reference:
        - BERT, https://arxiv.org/abs/1810.04805.
        - XtremeDistil, https://arxiv.org/abs/2004.05686; official code:
          `models.py`.
    """

    def __init__(
        self,
        backbone,
        num_classes,
        preprocessor=None,
        activation=None,
        dropout=0.1,
        **kwargs,
    ):
        # === Validation ===
        check_int("num_classes", num_classes, minimum=1)
        check_float("dropout", dropout, minimum=0, below=1)
        hidden_states = _hidden_states(backbone.output)
        if hidden_states is None:
            raise ValueError(
                "`backbone` must give hidden states (batch, tokens, width), "
                'alone or as "sequence_output". Received: '
                f"{type(backbone).__name__} with the output {backbone.output}"
            )

        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.output_dropout = keras.layers.Dropout(
            dropout, dtype=backbone.dtype_policy, name="classifier_dropout"
        )
        self.output_dense = keras.layers.Dense(
            num_classes,
            kernel_initializer=keras.initializers.TruncatedNormal(
                stddev=_INITIALIZER_RANGE
            ),
            activation=activation,
            dtype=backbone.dtype_policy,
            name="logits",
        )
        # Before KerasHub compiles with a loss that depends on it.
        self.activation = keras.activations.get(activation)
        self._idle = idle_variables(backbone, hidden_states)

        # === Functional Model ===
        inputs = backbone.input
        tokens = self.output_dropout(_hidden_states(backbone(inputs)))
        super().__init__(
            inputs=inputs, outputs=self.output_dense(tokens), **kwargs
        )

        # === Config ===
        self.num_classes = num_classes
        self.dropout = dropout

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
            loss: As in Keras. Defaults to `"auto"`: the cross-entropy of
                integer classes, averaged over the sample weights.
            weighted_metrics: As in Keras. Defaults to `"auto"`: the accuracy.
                `metrics`, which leave out sample weights, would count padding.
            **kwargs: As in Keras.
        """
        if optimizer == "auto":
            optimizer = keras.optimizers.Adam(5e-5)
        if loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(
                from_logits=self.activation is not keras.activations.softmax,
                reduction="mean_with_sample_weight",
            )
        if weighted_metrics == "auto":
            weighted_metrics = [keras.metrics.SparseCategoricalAccuracy()]
        super().compile(
            optimizer=optimizer,
            loss=loss,
            weighted_metrics=weighted_metrics,
            **kwargs,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
        }

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Loads a token classifier, or starts one from any text encoder.

        Args:
            preset: str. A folder that `save_to_preset` of a token classifier
                wrote, or a Hugging Face folder of one; or, with
                `num_classes`, any KerasHub preset or Hugging Face folder of a
                text encoder, whose head is then new, and what
                `MobileBertBackbone.from_preset` takes. The name of an
                architecture has no tokenizer: pass a `preprocessor` for raw
                text.
            load_weights: bool. Defaults to `True`.
            **kwargs: Arguments of the class; `num_classes` makes a new head.
                `dtype` is the backbone's.

        Returns:
            `TokenClassifier`.

        Raises:
            ValueError: If the preset has no head of a token classifier and
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


def _hidden_states(output):
    """The hidden states of tokens among a backbone's outputs, or `None`."""
    if isinstance(output, dict):
        output = output.get("sequence_output")
    return output if len(getattr(output, "shape", ())) == 3 else None


def _load_with_head(cls, preset, load_weights, kwargs):
    saved_class = saved_task_class(preset)
    if saved_class is None or not issubclass(saved_class, cls):
        raise ValueError(
            f"{str(preset)!r} is no folder of a saved {cls.__name__}. Pass "
            "`num_classes` to start a new head on its encoder."
        )
    loader = get_preset_loader(str(preset))
    return loader.load_task(cls, load_weights, True, **kwargs)
