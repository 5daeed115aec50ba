"""By these, KerasHub finds a tokenizer for a preset of our BERT."""

import keras
import keras_hub

from keras_distill.models.bert.backbone import BertBackbone
from keras_distill.packing import layout_of


@keras.saving.register_keras_serializable("keras_distill")
class BertBackboneTokenizer(keras_hub.models.BertTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = BertBackbone


class _PacksAsItsTokenizer:
    """Puts as many separators between two texts as the tokenizer's family.

    Multilingual E5 is a BERT that was trained with XLM-RoBERTa's tokenizer,
    and with the two separators that this puts.
    """

    def build(self, input_shape):
        super().build(input_shape)
        family = getattr(self.tokenizer, "backbone_cls", None)
        if family not in (None, *_OWN_FAMILIES):
            self.packer.sep_value = list(layout_of(self.tokenizer).separator)


_OWN_FAMILIES = (BertBackbone, keras_hub.models.BertBackbone)


@keras.saving.register_keras_serializable("keras_distill")
class BertTextClassifierPreprocessor(
    _PacksAsItsTokenizer, keras_hub.models.BertTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for `keras_distill.models.BertBackbone`."""

    backbone_cls = BertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class MultilingualBertPreprocessor(
    _PacksAsItsTokenizer, keras_hub.models.BertTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for its BERT with XLM-RoBERTa's tokenizer."""
