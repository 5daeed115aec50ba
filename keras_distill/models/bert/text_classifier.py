"""A text classifier above a BERT with the settings of a checkpoint."""

import keras
import keras_hub

# KerasHub exports what tells the kinds of presets apart under no public name.
from keras_hub.src.utils.preset_utils import get_preset_loader

from keras_distill.models.bert.backbone import BertBackbone
from keras_distill.models.bert.preprocessing import (
    BertTextClassifierPreprocessor,
)
from keras_distill.models.bert_head import BertHead


@keras.saving.register_keras_serializable("keras_distill")
class BertTextClassifier(BertHead, keras_hub.models.BertTextClassifier):
    """A text classifier above a BERT, whose head is chosen.

    By default it is KerasHub's `BertTextClassifier`: dropout and a dense
    layer over the pooler, which is a dense layer with tanh over the first
    token. As a class of its own, KerasHub finds it when it loads a preset of
    a `keras_distill.models.BertBackbone`.

    A model that was trained with the mean of its tokens, as those for
    sentence embeddings, has a pooler that is not trained, or none: a head on
    that mean learns a task in fewer steps.

    Args:
        backbone: `keras_distill.models.BertBackbone`, or KerasHub's.
        num_classes: int. Number of classes.
        preprocessor: `keras_hub.models.BertTextClassifierPreprocessor`, or
            `None` if inputs are tokenised already. Defaults to `None`.
        activation: Optional activation of the outputs. Defaults to `None`:
            logits.
        dropout: Optional float. Dropout rate before the dense layer. Defaults
            to `0.1`, and to `0` with a head `"tinybert"`, which has none.
        pooling: str. What the head reads: `"pooler"`, or `"mean"` of the last
            hidden states of all tokens but padding. A pooler that feeds
            nothing is not trained. Defaults to `"pooler"`.
        head: str. `"linear"`: dropout and the dense layer. `"tinybert"`: the
            dense layer over the ReLU of what is read, without dropout, as in
            the script of TinyBERT. Defaults to `"linear"`.
        **kwargs: Further arguments of `keras_hub.models.TextClassifier`.

    Example:

    ```python
    from keras_distill.models import BertBackbone
    from keras_distill.models import BertTextClassifier

    classifier = BertTextClassifier(
        BertBackbone(
            vocabulary_size=100, num_layers=1, num_heads=2, hidden_dim=8,
            intermediate_dim=16,
        ),
        num_classes=3,
        pooling="mean",
    )
    ```

    Reference:
        - Sentence-BERT, https://arxiv.org/abs/1908.10084, for the mean.
        - TinyBERT, https://arxiv.org/abs/1909.10351; official code:
          `transformer/modeling.py`, for the ReLU.
    """

    backbone_cls = BertBackbone
    preprocessor_cls = BertTextClassifierPreprocessor

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Loads a classifier, or starts one from any BERT, KerasHub's as well.

        Args:
            preset: As in KerasHub.
            load_weights: bool. As in KerasHub. Defaults to `True`.
            **kwargs: Arguments of the class; `num_classes` makes a new head.

        Returns:
            `BertTextClassifier`.
        """
        loader = get_preset_loader(preset)
        if loader.check_backbone_class() is keras_hub.models.BertBackbone:
            return loader.load_task(
                cls, load_weights, "num_classes" not in kwargs, **kwargs
            )
        return super().from_preset(preset, load_weights, **kwargs)
