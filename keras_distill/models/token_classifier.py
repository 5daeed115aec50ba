"""A class for every token, on top of any KerasHub text encoder."""

import keras
import keras_hub

from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.models.hugging_face.head import TOKEN
from keras_distill.models.on_any_encoder import OnAnyEncoder
from keras_distill.models.on_any_encoder import check_gives_hidden_states
from keras_distill.models.on_any_encoder import hidden_states
from keras_distill.models.own_task import CompiledByDefault
from keras_distill.models.own_task import idle_variables

# BERT's own, for weights that start at random.
_INITIALIZER_RANGE = 0.02


@keras.saving.register_keras_serializable("keras_distill")
class TokenClassifier(CompiledByDefault, OnAnyEncoder, keras_hub.models.Task):
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

    hugging_face_head = TOKEN

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
        check_gives_hidden_states(backbone)

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
        self._idle = idle_variables(backbone, hidden_states(backbone.output))

        # === Functional Model ===
        inputs = backbone.input
        tokens = self.output_dropout(hidden_states(backbone(inputs)))
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
