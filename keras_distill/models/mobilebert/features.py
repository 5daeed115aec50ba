"""Where the features of a block of MobileBERT are."""

from keras_distill.features import names
from keras_distill.features import register_adapter
from keras_distill.features.transformer_block import TransformerBlockAdapter
from keras_distill.features.transformer_block import VisibleBlock
from keras_distill.features.transformer_block import visible_attention
from keras_distill.models.mobilebert.block import MobileBertBlock


class MobileBertBlockFeatures(VisibleBlock):
    """A second way through a block, in which all is visible."""

    @property
    def attention(self):
        return self.block.attention

    def call(self, inputs, padding_mask=None, training=None):
        outputs, features = self.block.attend_by(
            visible_attention, inputs, padding_mask, training
        )
        return {names.HIDDEN_STATES: outputs, **features}


register_adapter(
    MobileBertBlock, TransformerBlockAdapter(MobileBertBlockFeatures)
)
