"""Which classes stand for an architecture of `transformers`."""

import dataclasses

import keras_hub

# KerasHub exports BERT's activation under no public name.
from keras_hub.src.utils.keras_utils import gelu_approximate

from keras_distill.models import bert
from keras_distill.models import checkpoint_encoders
from keras_distill.models import mobilebert


@dataclasses.dataclass(frozen=True)
class Family:
    """The classes of one architecture.

    Attributes:
        backbone: Our class, which takes activation and epsilon, or `None`.
        text_classifier: Our text classifier above it, or `None`.
        keras_hub_backbone: KerasHub's class, which has both built in, or
            `None`.
        keras_hub_text_classifier: KerasHub's text classifier above that, or
            `None`.
        built_in: tuple of the activation and epsilon that KerasHub built in,
            or `None`.
        prefix: str. What names of the encoder's weights start with in a file.
    """

    backbone: type | None
    text_classifier: type | None
    keras_hub_backbone: type | None
    keras_hub_text_classifier: type | None
    built_in: tuple | None
    prefix: str


FAMILIES = {
    "bert": Family(
        bert.BertBackbone,
        bert.BertTextClassifier,
        keras_hub.models.BertBackbone,
        keras_hub.models.BertTextClassifier,
        (gelu_approximate, 1e-12),
        "bert.",
    ),
    "roberta": Family(
        checkpoint_encoders.RobertaBackbone,
        checkpoint_encoders.RobertaTextClassifier,
        keras_hub.models.RobertaBackbone,
        keras_hub.models.RobertaTextClassifier,
        ("gelu", 1e-5),
        "roberta.",
    ),
    "xlm-roberta": Family(
        checkpoint_encoders.XLMRobertaBackbone,
        checkpoint_encoders.XLMRobertaTextClassifier,
        keras_hub.models.XLMRobertaBackbone,
        keras_hub.models.XLMRobertaTextClassifier,
        ("gelu", 1e-5),
        "roberta.",
    ),
    "distilbert": Family(
        checkpoint_encoders.DistilBertBackbone,
        checkpoint_encoders.DistilBertTextClassifier,
        keras_hub.models.DistilBertBackbone,
        keras_hub.models.DistilBertTextClassifier,
        ("gelu", 1e-12),
        "distilbert.",
    ),
    # KerasHub's own conversion of its encoder reads all that it says.
    "albert": Family(
        None,
        None,
        keras_hub.models.AlbertBackbone,
        keras_hub.models.AlbertTextClassifier,
        (gelu_approximate, 1e-12),
        "albert.",
    ),
    "mobilebert": Family(
        mobilebert.MobileBertBackbone,
        mobilebert.MobileBertTextClassifier,
        None,
        None,
        None,
        "mobilebert.",
    ),
}
"""`Family` by the `model_type` in a config."""

WITH_SEGMENTS = ("bert", "mobilebert")
"""The families whose tokens belong to segments."""
