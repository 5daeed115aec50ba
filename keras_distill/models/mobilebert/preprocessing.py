"""By these, KerasHub finds a tokenizer for a preset of MobileBERT."""

import keras
import keras_hub

from keras_distill.models.mobilebert.backbone import MobileBertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class MobileBertBackboneTokenizer(keras_hub.models.BertTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = MobileBertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class MobileBertTextClassifierPreprocessor(
    keras_hub.models.BertTextClassifierPreprocessor
):
    """KerasHub's preprocessor of BERT, for a `MobileBertBackbone`."""

    backbone_cls = MobileBertBackbone
