"""KerasHub's encoders with the activation and epsilon of a checkpoint.

KerasHub builds both in. Each class is KerasHub's in everything else; a preset
of it loads after `import keras_distill`. KerasHub finds tokenizer,
preprocessor and classifier of a preset by the class of its backbone, so each
family has its own.
"""

import keras
import keras_hub

from keras_distill.models.encoder_settings import WithEncoderSettings
from keras_distill.models.own_task import OwnTask

_register = keras.saving.register_keras_serializable("keras_distill")


@_register
class DistilBertBackbone(
    WithEncoderSettings, keras_hub.models.DistilBertBackbone
):
    """KerasHub's DistilBERT with the activation and epsilon of a checkpoint.

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

    built_in_epsilon = 1e-12


@_register
class DistilBertBackboneTokenizer(keras_hub.models.DistilBertTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = DistilBertBackbone


@_register
class DistilBertTextClassifierPreprocessor(
    keras_hub.models.DistilBertTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for a `DistilBertBackbone` of this library."""

    backbone_cls = DistilBertBackbone


@_register
class DistilBertTextClassifier(
    OwnTask, keras_hub.models.DistilBertTextClassifier
):
    """A text classifier above a `keras_distill.models.DistilBertBackbone`.

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


@_register
class RobertaBackbone(WithEncoderSettings, keras_hub.models.RobertaBackbone):
    """KerasHub's RoBERTa with the activation and epsilon of a checkpoint.

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

    built_in_epsilon = 1e-5


@_register
class RobertaBackboneTokenizer(keras_hub.models.RobertaTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = RobertaBackbone


@_register
class RobertaTextClassifierPreprocessor(
    keras_hub.models.RobertaTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for a `RobertaBackbone` of this library."""

    backbone_cls = RobertaBackbone


@_register
class RobertaTextClassifier(OwnTask, keras_hub.models.RobertaTextClassifier):
    """A text classifier above a `keras_distill.models.RobertaBackbone`.

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


@_register
class XLMRobertaBackbone(
    WithEncoderSettings, keras_hub.models.XLMRobertaBackbone
):
    """KerasHub's XLM-RoBERTa with the activation and epsilon of a checkpoint.

    Args:
        *args: Arguments of `keras_hub.models.XLMRobertaBackbone`.
        activation: Activation of the feed-forward layers, a name of Keras's
            or a callable. Defaults to `"gelu"`, which is exact.
        layer_norm_epsilon: float. Added to the variance in every layer
            normalization. Defaults to `1e-5`.
        **kwargs: Further arguments of KerasHub's class.

    Example:

    ```python
    from keras_distill.models import XLMRobertaBackbone

    backbone = XLMRobertaBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, layer_norm_epsilon=1e-12,
    )
    ```
    """

    built_in_epsilon = 1e-5


@_register
class XLMRobertaBackboneTokenizer(keras_hub.models.XLMRobertaTokenizer):
    """By this class KerasHub finds the tokenizer in a preset of ours."""

    backbone_cls = XLMRobertaBackbone


@_register
class XLMRobertaTextClassifierPreprocessor(
    keras_hub.models.XLMRobertaTextClassifierPreprocessor
):
    """KerasHub's preprocessor, for a `XLMRobertaBackbone` of this library."""

    backbone_cls = XLMRobertaBackbone


@_register
class XLMRobertaTextClassifier(
    OwnTask, keras_hub.models.XLMRobertaTextClassifier
):
    """A text classifier above a `keras_distill.models.XLMRobertaBackbone`.

    Args:
        *args: Arguments of `keras_hub.models.XLMRobertaTextClassifier`.
        **kwargs: Further arguments of it.

    Example:

    ```python
    from keras_distill import models

    classifier = models.XLMRobertaTextClassifier(
        models.XLMRobertaBackbone(
            vocabulary_size=100, num_layers=1, num_heads=2, hidden_dim=8,
            intermediate_dim=16,
        ),
        num_classes=3,
    )
    ```
    """

    backbone_cls = XLMRobertaBackbone
    preprocessor_cls = XLMRobertaTextClassifierPreprocessor
