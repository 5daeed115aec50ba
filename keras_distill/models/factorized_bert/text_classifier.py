"""A text classifier above a BERT with a factorized table of words."""

import keras
import keras_hub

from keras_distill.models.bert_head import BertHead
from keras_distill.models.factorized_bert.backbone import FactorizedBertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class FactorizedBertTextClassifier(
    BertHead, keras_hub.models.BertTextClassifier
):
    """A text classifier above a `FactorizedBertBackbone`.

    It is `keras_distill.models.BertTextClassifier` in everything else; as a
    class of its own, KerasHub finds it when it loads a preset.

    Args:
        backbone: `FactorizedBertBackbone`.
        num_classes: int. Number of classes.
        preprocessor: `keras_hub.models.BertTextClassifierPreprocessor`, or
            `None` if inputs are tokenised already. Defaults to `None`.
        activation: Optional activation of the outputs. Defaults to `None`:
            logits.
        dropout: Optional float. Dropout rate before the dense layer. Defaults
            to `0.1`, and to `0` with a head `"tinybert"`.
        pooling: str. What the head reads, `"pooler"` or `"mean"`, as in
            `BertTextClassifier`. Defaults to `"pooler"`.
        head: str. `"linear"` or `"tinybert"`, as there. Defaults to
            `"linear"`.
        **kwargs: Further arguments of `keras_hub.models.TextClassifier`.

    Example:

    ```python
    from keras_distill.models import FactorizedBertBackbone
    from keras_distill.models import FactorizedBertTextClassifier

    classifier = FactorizedBertTextClassifier(
        FactorizedBertBackbone(
            vocabulary_size=100, num_layers=1, num_heads=2, hidden_dim=8,
            intermediate_dim=16, embedding_dim=4,
        ),
        num_classes=3,
    )
    ```
    """

    backbone_cls = FactorizedBertBackbone
