"""By these, KerasHub finds a tokenizer for a preset of our BERT."""

import keras
import keras_hub

from keras_distill.models.bert.backbone import BertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class BertTokenizer(keras_hub.models.BertTokenizer):
    """KerasHub's tokenizer, for `keras_distill.models.BertBackbone`."""

    backbone_cls = BertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class BertTextClassifierPreprocessor(
    keras_hub.models.BertTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for `keras_distill.models.BertBackbone`."""

    backbone_cls = BertBackbone
