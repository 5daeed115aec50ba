"""A masked language model on top of any KerasHub text encoder."""

import keras
import keras_hub

# KerasHub exports what tells the kinds of presets apart under no public name.
from keras_hub.src.utils.preset_utils import TASK_CONFIG_FILE
from keras_hub.src.utils.preset_utils import check_config_class
from keras_hub.src.utils.preset_utils import check_file_exists
from keras_hub.src.utils.preset_utils import get_preset_loader
from keras_hub.src.utils.preset_utils import load_json

from keras_distill.models import hugging_face
from keras_distill.models.masked_lm_head import make_masked_lm_head
from keras_distill.models.on_any_encoder import hidden_states
from keras_distill.models.own_task import OwnTask
from keras_distill.models.own_task import idle_variables


@keras.saving.register_keras_serializable("keras_distill")
class MaskedLanguageModel(OwnTask, keras_hub.models.MaskedLM):
    """A masked language model on top of any KerasHub text encoder.

    BERT's head: a dense layer with activation, a layer normalization, and the
    words' own embeddings turned round, with a bias for each. It looks at the
    masked positions only. KerasHub's own masked language models are the same
    for its own encoders; this one takes any, and the activation and epsilon
    that a checkpoint was trained with.

    It reads `mask_positions` `(B, N)` beside the encoder's inputs, and gives
    logits `(B, N, V)`. A pooler that the backbone may have feeds no token and
    is not trained.

    Args:
        backbone: `keras_hub.models.Backbone` with `token_embedding`, which
            gives hidden states `(B, L, D)`, alone or as `"sequence_output"`.
        preprocessor: Optional `keras_hub.models.MaskedLMPreprocessor`. It
            carries the tokenizer. Defaults to `None`.
        activation: Activation of the dense layer. Defaults to that of the
            backbone, or to `"gelu"` where it does not tell.
        layer_norm_epsilon: float. Added to the variance. Defaults to that of
            the backbone, or to `1e-12`.
        **kwargs: Further arguments of `keras_hub.models.MaskedLM`.

    Example:

    ```python
    import keras_hub
    import numpy as np
    from keras_distill import models

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=32,
    )
    masked_lm = models.MaskedLanguageModel(backbone)
    ids = np.ones((3, 5), "int32")
    batch = {
        "token_ids": ids, "segment_ids": 0 * ids, "padding_mask": ids,
        "mask_positions": np.array([[2], [1], [4]]),
    }
    print(masked_lm(batch).shape)
    ```

    Reference:
        - BERT, https://arxiv.org/abs/1810.04805.
    """

    def __init__(
        self,
        backbone,
        preprocessor=None,
        activation=None,
        layer_norm_epsilon=None,
        **kwargs,
    ):
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.masked_lm_head = make_masked_lm_head(
            backbone, activation, layer_norm_epsilon
        )
        self.activation = self.masked_lm_head.intermediate_activation
        self.layer_norm_epsilon = self.masked_lm_head.layer_norm_epsilon

        # === Functional Model ===
        positions = keras.Input((None,), dtype="int32", name="mask_positions")
        states = hidden_states(backbone(backbone.input))
        self._idle = idle_variables(backbone, hidden_states(backbone.output))
        super().__init__(
            inputs={**backbone.input, "mask_positions": positions},
            outputs=self.masked_lm_head(states, positions),
            **kwargs,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }


def load_masked_lm(source):
    """Loads a masked language model whose head is trained.

    Args:
        source: str or path. A KerasHub preset or a folder of one that holds a
            masked language model, such as `MaskedLanguageModel` or
            `keras_hub.models.BertMaskedLM`; or a Hugging Face folder of a
            BERT, RoBERTa, XLM-RoBERTa, DistilBERT, ALBERT or MobileBERT that
            was saved with the head of its pre-training.

    Returns:
        `keras_hub.models.MaskedLM`.

    Raises:
        ValueError: If there is no such preset, or it has no such head.
    """
    source = str(source)
    if hugging_face.is_hugging_face_folder(source):
        return _from_hugging_face(hugging_face.Checkpoint(source))
    try:
        saved_class = None
        if check_file_exists(source, TASK_CONFIG_FILE):
            saved_class = check_config_class(
                load_json(source, TASK_CONFIG_FILE)
            )
        loader = get_preset_loader(source)
    # What it does with a name that is none has no class of its own.
    except Exception as error:
        raise ValueError(
            f"No masked language model could be loaded from {source!r} "
            f"({type(error).__name__}: {error})."
        ) from error
    if saved_class is None or not issubclass(
        saved_class, keras_hub.models.MaskedLM
    ):
        found = "an encoder alone"
        if saved_class is not None:
            found = f"a {saved_class.__name__}"
        raise ValueError(
            f"{source!r} holds {found}, without the head of a masked language "
            "model. `python -m recipes.tinybert.masked_lm --encoder "
            f"{source} --corpus FOLDER` trains one."
        )
    return loader.load_task(saved_class, True, True)


def _from_hugging_face(checkpoint):
    """The encoder of a checkpoint and the head of its pre-training."""
    settings = checkpoint.settings
    if not hugging_face.has_masked_lm_head(checkpoint):
        raise ValueError(
            f"{checkpoint.folder} holds a {checkpoint.architecture}, without "
            "the head of a masked language model. Take the checkpoint that it "
            "was fine-tuned from, saved as one ForMaskedLM."
        )
    tokenizer = hugging_face.load_preprocessor(checkpoint).tokenizer
    model = MaskedLanguageModel(
        hugging_face.load_encoder(checkpoint),
        keras_hub.models.MaskedLMPreprocessor(
            tokenizer, sequence_length=settings.sizes["max_sequence_length"]
        ),
        activation=settings.activation,
        layer_norm_epsilon=settings.layer_norm_epsilon,
    )
    hugging_face.load_masked_lm_head(model.masked_lm_head, checkpoint)
    return model
