"""A text classifier above a BiLSTM."""

import keras
import keras_hub

from keras_distill.checks.arguments import check_int
from keras_distill.models.bilstm.backbone import BiLstmBackbone
from keras_distill.models.own_task import OwnTask


@keras.saving.register_keras_serializable("keras_distill")
class BiLstmTextClassifier(OwnTask, keras_hub.models.TextClassifier):
    """A text classifier above a `BiLstmBackbone`: one dense layer.

    Args:
        backbone: `BiLstmBackbone`.
        num_classes: int. Number of classes.
        preprocessor: `keras_hub.models.BertTextClassifierPreprocessor`, or
            `None` if inputs are tokenised already. Defaults to `None`.
        activation: Optional activation of the outputs. Defaults to `None`:
            logits.
        **kwargs: Further arguments of `keras_hub.models.TextClassifier`.

    Example:

    ```python
    import numpy as np
    from keras_distill.models import BiLstmBackbone
    from keras_distill.models import BiLstmTextClassifier

    classifier = BiLstmTextClassifier(
        BiLstmBackbone(vocabulary_size=100, embedding_dim=8, lstm_dim=4),
        num_classes=3,
    )
    ids = np.array([[2, 10, 11, 3]])
    logits = classifier(
        {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": 0 * ids + 1}
    )
    assert logits.shape == (1, 3)
    ```
    """

    backbone_cls = BiLstmBackbone
    preprocessor_cls = keras_hub.models.BertTextClassifierPreprocessor

    def __init__(
        self,
        backbone,
        num_classes,
        preprocessor=None,
        activation=None,
        **kwargs,
    ):
        check_int("num_classes", num_classes, minimum=1)
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.output_dense = keras.layers.Dense(
            num_classes,
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            activation=activation,
            dtype=backbone.dtype_policy,
            name="logits",
        )

        # === Functional Model ===
        inputs = backbone.input
        outputs = self.output_dense(backbone(inputs)["pooled_output"])
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)

        # === Config ===
        self.num_classes = num_classes
        self.activation = keras.activations.get(activation)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "activation": keras.activations.serialize(self.activation),
        }
