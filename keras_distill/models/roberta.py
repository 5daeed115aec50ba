"""KerasHub's RoBERTa with the activation and epsilon of a checkpoint."""

import keras
import keras_hub

from keras_distill.models.encoder_settings import encoder_settings
from keras_distill.models.encoder_settings import set_encoder_settings
from keras_distill.models.saving import SavedWhole


@keras.saving.register_keras_serializable("keras_distill")
class RobertaBackbone(keras_hub.models.RobertaBackbone):
    """KerasHub's RoBERTa with the activation and epsilon of a checkpoint.

    `keras_hub.models.RobertaBackbone` builds GELU and an epsilon of
    1e-5 in. This class is KerasHub's in everything else; a preset of it
    loads after `import keras_distill`.

    Args:
        *args: Arguments of `keras_hub.models.RobertaBackbone`.
        activation: Activation of the feed-forward layers, a name of Keras's
            or a callable. Defaults to `"gelu"`, which is exact.
        layer_norm_epsilon: float. Added to the variance in every layer
            normalization. Defaults to `1e-5`.
        **kwargs: Further arguments of KerasHub's class.

    Example:

    ```python
    from keras_distill.models import RobertaBackbone

    backbone = RobertaBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, layer_norm_epsilon=1e-12,
    )
    ```
    """

    def __init__(
        self, *args, activation="gelu", layer_norm_epsilon=1e-5, **kwargs
    ):
        super().__init__(*args, **kwargs)
        set_encoder_settings(self, activation, layer_norm_epsilon)

    def get_config(self):
        return {**super().get_config(), **encoder_settings(self)}


@keras.saving.register_keras_serializable("keras_distill")
class RobertaBackboneTokenizer(keras_hub.models.RobertaTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = RobertaBackbone


@keras.saving.register_keras_serializable("keras_distill")
class RobertaTextClassifierPreprocessor(
    keras_hub.models.RobertaTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for a `RobertaBackbone` of this library."""

    backbone_cls = RobertaBackbone


@keras.saving.register_keras_serializable("keras_distill")
class RobertaTextClassifier(SavedWhole, keras_hub.models.RobertaTextClassifier):
    """A text classifier above a `keras_distill.models.RobertaBackbone`.

    It is KerasHub's in everything else; as a class of its own, KerasHub finds
    it when it loads a preset.

    Args:
        *args: Arguments of `keras_hub.models.RobertaTextClassifier`.
        **kwargs: Further arguments of it.

    Example:

    ```python
    from keras_distill import models

    classifier = models.RobertaTextClassifier(
        models.RobertaBackbone(
            vocabulary_size=100, num_layers=1, num_heads=2, hidden_dim=8,
            intermediate_dim=16,
        ),
        num_classes=3,
    )
    ```
    """

    backbone_cls = RobertaBackbone
    preprocessor_cls = RobertaTextClassifierPreprocessor
