"""By these, KerasHub finds a tokenizer for a preset of a factorized BERT."""

import keras
import keras_hub

from keras_distill.models.factorized_bert.backbone import FactorizedBertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class FactorizedBertBackboneTokenizer(keras_hub.models.BertTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = FactorizedBertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class FactorizedBertTextClassifierPreprocessor(
    keras_hub.models.BertTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for a `FactorizedBertBackbone`."""

    backbone_cls = FactorizedBertBackbone
