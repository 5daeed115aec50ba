"""Which text classifier stands on an encoder."""

import keras_hub

# KerasHub exports what finds a task's class under no public name.
from keras_hub.src.utils.preset_utils import find_subclass

from keras_distill.models.bert import BertTextClassifier
from keras_distill.models.factorized_bert import FactorizedBertTextClassifier
from keras_distill.models.mobilebert import MobileBertTextClassifier


def text_classifier_class(backbone_class, with_chosen_head=False):
    """The text classifier for a class of encoders.

    Args:
        backbone_class: class of a KerasHub backbone.
        with_chosen_head: bool. Whether it takes `pooling` and `head`, as
            those of a BERT do. Defaults to `False`.

    Returns:
        The class that KerasHub finds, or one of ours.
    """
    if not with_chosen_head:
        return find_subclass(
            backbone_class.__name__,
            keras_hub.models.TextClassifier,
            backbone_class,
        )
    for task_class in (FactorizedBertTextClassifier, MobileBertTextClassifier):
        if issubclass(backbone_class, task_class.backbone_cls):
            return task_class
    # It takes KerasHub's as well, and refuses what is no BERT.
    return BertTextClassifier
