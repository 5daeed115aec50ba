"""By these, KerasHub finds a tokenizer for a preset of our BERT."""

import keras
import keras_hub

from keras_distill.models.bert.backbone import BertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class BertBackboneTokenizer(keras_hub.models.BertTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = BertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class BertTextClassifierPreprocessor(
    keras_hub.models.BertTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for `keras_distill.models.BertBackbone`."""

    backbone_cls = BertBackbone
