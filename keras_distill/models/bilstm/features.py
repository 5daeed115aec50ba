"""Where the features of a BiLSTM student are."""

from keras_distill.features import FeatureAdapter
from keras_distill.features import names
from keras_distill.features import register_adapter
from keras_distill.features.rebuild import NamedCall
from keras_distill.models.bilstm.encoder import BiLstmEncoder


class BiLstmAdapter(FeatureAdapter):
    """Shows an encoder as one layer: embeddings in, hidden states out."""

    def call(self, layer, recorder, inputs, padding_mask=None, training=None):
        number = recorder.next_layer(inputs, padding_mask)
        # Encoders of two nested models may have the same name.
        encoder = NamedCall(layer, f"{layer.name}_{number}")
        outputs = encoder(inputs, padding_mask=padding_mask, training=training)
        recorder.record(names.HIDDEN_STATES, outputs, number)
        return outputs


register_adapter(BiLstmEncoder, BiLstmAdapter())
