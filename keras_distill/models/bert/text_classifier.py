"""A text classifier above a BERT with the settings of a checkpoint."""

import keras
import keras_hub

from keras_distill.models.bert.backbone import BertBackbone
from keras_distill.models.bert.preprocessing import (
    BertTextClassifierPreprocessor,
)
from keras_distill.models.own_task import OwnTask


@keras.saving.register_keras_serializable("keras_distill")
class BertTextClassifier(OwnTask, keras_hub.models.BertTextClassifier):
    """A text classifier above a `keras_distill.models.BertBackbone`.

    It is KerasHub's `BertTextClassifier` in everything else; as a class of
    its own, KerasHub finds it when it loads a preset.

    Args:
        backbone: `keras_distill.models.BertBackbone`.
        num_classes: int. Number of classes.
        preprocessor: `keras_hub.models.BertTextClassifierPreprocessor`, or
            `None` if inputs are tokenised already. Defaults to `None`.
        activation: Optional activation of the outputs. Defaults to `None`:
            logits.
        dropout: float. Dropout rate before the head. Defaults to `0.1`.

    Example:

    ```python
    from keras_distill.models import BertBackbone
    from keras_distill.models import BertTextClassifier

    classifier = BertTextClassifier(
        BertBackbone(
            vocabulary_size=100, num_layers=1, num_heads=2, hidden_dim=8,
            intermediate_dim=16,
        ),
        num_classes=3,
    )
    ```
    """

    backbone_cls = BertBackbone
    preprocessor_cls = BertTextClassifierPreprocessor
