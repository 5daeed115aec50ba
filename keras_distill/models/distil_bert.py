"""KerasHub's DistilBERT with the activation and epsilon of a checkpoint."""

import keras
import keras_hub

from keras_distill.models.encoder_settings import encoder_settings
from keras_distill.models.encoder_settings import set_encoder_settings
from keras_distill.models.saving import SavedWhole


@keras.saving.register_keras_serializable("keras_distill")
class DistilBertBackbone(keras_hub.models.DistilBertBackbone):
    """KerasHub's DistilBERT with the activation and epsilon of a checkpoint.

    `keras_hub.models.DistilBertBackbone` builds GELU and an epsilon of
    1e-12 in. This class is KerasHub's in everything else; a preset of it
    loads after `import keras_distill`.

    Args:
        *args: Arguments of `keras_hub.models.DistilBertBackbone`.
        activation: Activation of the feed-forward layers, a name of Keras's
            or a callable. Defaults to `"gelu"`, which is exact.
        layer_norm_epsilon: float. Added to the variance in every layer
            normalization. Defaults to `1e-12`.
        **kwargs: Further arguments of KerasHub's class.

    Example:

    ```python
    from keras_distill.models import DistilBertBackbone

    backbone = DistilBertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, layer_norm_epsilon=1e-6,
    )
    ```
    """

    def __init__(
        self, *args, activation="gelu", layer_norm_epsilon=1e-12, **kwargs
    ):
        super().__init__(*args, **kwargs)
        set_encoder_settings(self, activation, layer_norm_epsilon)

    def get_config(self):
        return {**super().get_config(), **encoder_settings(self)}


@keras.saving.register_keras_serializable("keras_distill")
class DistilBertBackboneTokenizer(keras_hub.models.DistilBertTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = DistilBertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class DistilBertTextClassifierPreprocessor(
    keras_hub.models.DistilBertTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for a `DistilBertBackbone` of this library."""

    backbone_cls = DistilBertBackbone


@keras.saving.register_keras_serializable("keras_distill")
class DistilBertTextClassifier(
    SavedWhole, keras_hub.models.DistilBertTextClassifier
):
    """A text classifier above a `keras_distill.models.DistilBertBackbone`.

    It is KerasHub's in everything else; as a class of its own, KerasHub finds
    it when it loads a preset.

    Args:
        *args: Arguments of `keras_hub.models.DistilBertTextClassifier`.
        **kwargs: Further arguments of it.

    Example:

    ```python
    from keras_distill import models

    classifier = models.DistilBertTextClassifier(
        models.DistilBertBackbone(
            vocabulary_size=100, num_layers=1, num_heads=2, hidden_dim=8,
            intermediate_dim=16,
        ),
        num_classes=3,
    )
    ```
    """

    backbone_cls = DistilBertBackbone
    preprocessor_cls = DistilBertTextClassifierPreprocessor
