"""KerasHub's BERT with the activation and epsilon of a checkpoint."""

import keras
import keras_hub

from keras_distill.models.encoder_settings import encoder_settings
from keras_distill.models.encoder_settings import set_encoder_settings


@keras.saving.register_keras_serializable("keras_distill")
class BertBackbone(keras_hub.models.BertBackbone):
    """KerasHub's BERT with the activation and epsilon of a checkpoint.

    `keras_hub.models.BertBackbone` computes the tanh approximation of GELU
    and adds 1e-12 to the variance, whatever a checkpoint was trained with.
    Most of Hugging Face's BERTs were trained with GELU itself, `"gelu"` in
    their config: the last hidden states of a MiniLM of 6 layers differ by
    3e-3 between the two. This class is KerasHub's in everything else.

    A preset of this class loads after `import keras_distill`.

    Args:
        vocabulary_size: int. Number of words.
        num_layers: int. Number of transformer layers.
        num_heads: int. Attention heads per layer; divides `hidden_dim`.
        hidden_dim: int. Width of the hidden states.
        intermediate_dim: int. Width of the feed-forward layers.
        activation: Activation of the feed-forward layers, a name of Keras's
            or a callable. Defaults to `"gelu"`, which is exact.
        layer_norm_epsilon: float. Added to the variance in every layer
            normalization. Defaults to `1e-12`.
        **kwargs: Further arguments of `keras_hub.models.BertBackbone`:
            `dropout`, `max_sequence_length`, `num_segments`, `dtype` and
            others.

    Example:

    ```python
    from keras_distill.models import BertBackbone

    backbone = BertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, activation="relu", layer_norm_epsilon=1e-5,
    )
    assert backbone.get_config()["activation"] == "relu"
    ```
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        hidden_dim,
        intermediate_dim,
        activation="gelu",
        layer_norm_epsilon=1e-12,
        **kwargs,
    ):
        super().__init__(
            vocabulary_size,
            num_layers,
            num_heads,
            hidden_dim,
            intermediate_dim,
            **kwargs,
        )
        set_encoder_settings(self, activation, layer_norm_epsilon)

    def get_config(self):
        return {**super().get_config(), **encoder_settings(self)}
