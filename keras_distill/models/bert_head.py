"""The heads of our BERTs: what they read, and what they make of it."""

import keras
import keras_hub
from keras import ops

from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.models.own_task import OwnTask
from keras_distill.models.own_task import idle_variables
from keras_distill.models.pooling import MeanPooling

# KerasHub has the first of each.
POOLER, MEAN = POOLINGS = ("pooler", "mean")
LINEAR, TINYBERT = HEADS = ("linear", "tinybert")

# BERT's own, for weights that start at random.
_INITIALIZER_RANGE = 0.02


class BertHead(OwnTask):
    """A BERT text classifier whose head is chosen.

    It comes before `keras_hub.models.BertTextClassifier` among the bases, and
    has its layers. The arguments are those of
    `keras_distill.models.BertTextClassifier`.
    """

    def __init__(
        self,
        backbone,
        num_classes,
        preprocessor=None,
        activation=None,
        dropout=None,
        pooling=POOLER,
        head=LINEAR,
        **kwargs,
    ):
        # === Validation ===
        check_int("num_classes", num_classes, minimum=1)
        check_choice("pooling", pooling, POOLINGS)
        check_choice("head", head, HEADS)
        check_float("dropout", dropout, minimum=0, below=1, optional=True)
        if dropout is None:
            dropout = 0.1 if head == LINEAR else 0.0
        if dropout and head == TINYBERT:
            raise ValueError(
                'A head "tinybert" has no dropout. Leave `dropout` out. '
                f"Received: dropout={dropout}"
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

        # === Functional Model ===
        inputs = backbone.input
        outputs = backbone(inputs)
        pooled = outputs["pooled_output"]
        if pooling == MEAN:
            pooled = MeanPooling(
                dtype=backbone.dtype_policy, name="mean_pooling"
            )(outputs["sequence_output"], inputs["padding_mask"])
            self._idle = idle_variables(
                backbone, backbone.output["sequence_output"]
            )
        if head == TINYBERT:
            pooled = ops.relu(pooled)
        logits = self.output_dense(self.output_dropout(pooled))
        # Past KerasHub's own head, which reads the pooler.
        super(keras_hub.models.BertTextClassifier, self).__init__(
            inputs=inputs, outputs=logits, **kwargs
        )

        # === Config ===
        self.num_classes = num_classes
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.pooling = pooling
        self.head = head

    def get_config(self):
        return {
            **super().get_config(),
            "pooling": self.pooling,
            "head": self.head,
        }
