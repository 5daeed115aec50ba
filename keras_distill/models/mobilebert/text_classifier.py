"""A text classifier above a MobileBERT."""

import keras
import keras_hub

from keras_distill.models.bert_head import BertHead
from keras_distill.models.mobilebert.backbone import MobileBertBackbone
from keras_distill.models.mobilebert.preprocessing import (
    MobileBertTextClassifierPreprocessor,
)


@keras.saving.register_keras_serializable("keras_distill")
class MobileBertTextClassifier(BertHead, keras_hub.models.BertTextClassifier):
    """A text classifier above a `MobileBertBackbone`.

    It is `keras_distill.models.BertTextClassifier` in everything else; as a
    class of its own, KerasHub finds it when it loads a preset.

    Args:
        backbone: `MobileBertBackbone`.
        num_classes: int. Number of classes.
        preprocessor: `keras_hub.models.BertTextClassifierPreprocessor`, or
            `None` if inputs are tokenised already. Defaults to `None`.
        activation: Optional activation of the outputs. Defaults to `None`:
            logits.
        dropout: Optional float. Dropout rate before the dense layer. Defaults
            to `0.1`, and to `0` with a head `"tinybert"`.
        pooling: str. What the head reads, `"pooler"` or `"mean"`, as in
            `BertTextClassifier`. Where the backbone has no pooler, the first
            reads the first token's state as it is. Defaults to `"pooler"`.
        head: str. `"linear"` or `"tinybert"`, as there. Defaults to
            `"linear"`.
        **kwargs: Further arguments of `keras_hub.models.TextClassifier`.

    Example:

    ```python
    from keras_distill.models import MobileBertTextClassifier

    classifier = MobileBertTextClassifier.from_preset(
        "mobilebert_tiny", load_weights=False, num_classes=3
    )
    print(classifier.count_params())
    ```
    """

    backbone_cls = MobileBertBackbone
    preprocessor_cls = MobileBertTextClassifierPreprocessor

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Loads a classifier, or starts one on an encoder.

        Args:
            preset: As `MobileBertBackbone.from_preset` takes it.
            load_weights: bool. As there. Defaults to `True`.
            **kwargs: Arguments of the class; `num_classes` makes a new head.
                `dtype` is the backbone's. A name has no tokenizer: pass a
                `preprocessor` for raw text.

        Returns:
            `MobileBertTextClassifier`.
        """
        # They stand on this module.
        from keras_distill.models import hugging_face
        from keras_distill.models import mobilebert_start

        if hugging_face.is_hugging_face_folder(preset):
            return hugging_face.load_task(
                cls,
                hugging_face.Checkpoint(preset),
                load_weights=load_weights,
                **kwargs,
            )
        started = mobilebert_start.start_on_mobilebert(
            cls, preset, load_weights, kwargs
        )
        if started is not None:
            return started
        return super().from_preset(str(preset), load_weights, **kwargs)
