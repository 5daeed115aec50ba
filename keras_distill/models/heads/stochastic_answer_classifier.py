"""A classifier of pairs with the stochastic answer network of MT-DNN."""

from collections.abc import Mapping

import keras
import keras_hub
from keras import ops

from keras_distill.models.heads.stochastic_answer_head import (
    StochasticAnswerHead,
)
from keras_distill.models.on_any_encoder import OnAnyEncoder
from keras_distill.models.on_any_encoder import check_gives_hidden_states
from keras_distill.models.on_any_encoder import hidden_states
from keras_distill.models.own_task import CompiledByDefault
from keras_distill.models.own_task import idle_variables
from keras_distill.packing import layout_of


@keras.saving.register_keras_serializable("keras_distill")
class StochasticAnswerClassifier(
    CompiledByDefault, OnAnyEncoder, keras_hub.models.TextClassifier
):
    """A classifier of pairs of texts with MT-DNN's stochastic answer network.

    A `StochasticAnswerHead` compares the two texts of a pair, which the
    encoder reads in one row. Each text is its tokens with the special ones
    that stand before it and close it: of BERT `[CLS] first [SEP]` and
    `second [SEP]`. They are told apart by the encoder's `segment_ids`, or,
    where it takes none, as RoBERTa, by the separators between them. Padding
    is in neither.

    It is used as any KerasHub text classifier, and a teacher or student like
    any other, but for pairs alone: single raw texts are refused. A pooler
    that the backbone may have feeds nothing and is not trained.

    It gives the logarithm of the mean of the turns' probabilities, which are
    logits as any others.

    Args:
        backbone: `keras_hub.models.Backbone` that gives hidden states
            `(B, L, D)`, alone or as `"sequence_output"`.
        num_classes: int. `C`, at least 2.
        preprocessor: Optional KerasHub preprocessor. It carries the tokenizer
            and makes inputs of raw text. Defaults to `None`.
        activation: Optional str. `None`, for logits, or `"softmax"`. Defaults
            to `None`.
        dropout: float. The rate inside of the head. Defaults to `0.1`.
        num_turns: int. Defaults to `5`.
        prediction_dropout: float. The rate at which turns are left out in
            training. Defaults to `0.1`.
        separator: Optional sequence of ints. The ids that close the first
            text, for a backbone without `segment_ids`. Defaults to `None`:
            those that the preprocessor puts there.
        **kwargs: Further arguments of `keras_hub.models.TextClassifier`.

    Raises:
        ValueError: If the backbone gives no hidden states of tokens, or it
            takes no segments and nothing tells the separator.

    Example:

    ```python
    import keras_hub
    import numpy as np
    import keras_distill

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=32,
    )
    classifier = keras_distill.models.StochasticAnswerClassifier(
        backbone, num_classes=3
    )
    batch = {
        "token_ids": np.array([[2, 10, 11, 3, 12, 3]]),
        "segment_ids": np.array([[0, 0, 0, 0, 1, 1]]),
        "padding_mask": np.array([[1, 1, 1, 1, 1, 1]]),
    }
    print(classifier(batch).shape)
    ```

    Reference:
        - MT-DNN, https://arxiv.org/abs/1901.11504.
    """

    # How many texts an example must have.
    num_texts = 2

    def __init__(
        self,
        backbone,
        num_classes,
        preprocessor=None,
        activation=None,
        dropout=0.1,
        num_turns=5,
        prediction_dropout=0.1,
        separator=None,
        **kwargs,
    ):
        # === Validation ===
        check_gives_hidden_states(backbone)
        inputs = backbone.input
        if "segment_ids" not in inputs and separator is None:
            separator = _separator(backbone, preprocessor)

        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.answer_head = StochasticAnswerHead(
            num_classes,
            num_turns=num_turns,
            dropout=dropout,
            prediction_dropout=prediction_dropout,
            activation=activation,
            dtype=backbone.dtype_policy,
            name="stochastic_answer_head",
        )
        # Before KerasHub compiles with a loss that depends on it.
        self.activation = self.answer_head.activation
        self._idle = idle_variables(backbone, hidden_states(backbone.output))

        # === Functional Model ===
        outputs = self.answer_head(
            hidden_states(backbone(inputs)), *_masks(inputs, separator)
        )
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)

        # === Config ===
        self.num_classes = num_classes
        self.dropout = dropout
        self.num_turns = num_turns
        self.prediction_dropout = prediction_dropout
        self.separator = None if separator is None else tuple(separator)

    def preprocess_samples(self, x, y=None, sample_weight=None):
        """Runs the preprocessor on pairs, but on what is tokenised already.

        Args:
            x: Pairs of texts, or a dict with `"token_ids"`.
            y: Optional labels.
            sample_weight: Optional sample weights.

        Returns:
            The batch as Keras takes it.

        Raises:
            ValueError: If there is one text where a pair is meant.
        """
        is_tokenized = isinstance(x, Mapping) or self.preprocessor is None
        if not is_tokenized and not (isinstance(x, tuple) and len(x) == 2):
            raise ValueError(
                f"A {type(self).__name__} takes pairs: `x` must be a tuple of "
                "two columns of texts, (firsts, seconds). Received: one text "
                "for each example. For single texts use a "
                "keras_hub.models.TextClassifier, whose head is linear."
            )
        return super().preprocess_samples(x, y, sample_weight)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "num_turns": self.num_turns,
            "prediction_dropout": self.prediction_dropout,
            "separator": self.separator,
        }


def _separator(backbone, preprocessor):
    """The ids between two texts, as the preprocessor puts them."""
    if preprocessor is None:
        raise ValueError(
            f"`separator` is missing: a {type(backbone).__name__} takes no "
            "segments, and there is no `preprocessor` that tells what stands "
            "between two texts. Pass their ids, such as (2, 2) of RoBERTa's "
            "</s></s>."
        )
    return layout_of(preprocessor).separator


def _masks(inputs, separator):
    """The tokens of the first text and those of the second, `(B, L)` each."""
    is_token = ops.cast(inputs["padding_mask"], "bool")
    if separator is None:
        is_second = ops.equal(inputs["segment_ids"], 1)
    else:
        # What comes after as many of the last one as close the first text.
        closing = ops.cast(
            ops.equal(inputs["token_ids"], separator[-1]), "int32"
        )
        before = ops.cumsum(closing, axis=1) - closing
        is_second = before >= list(separator).count(separator[-1])
    return (
        ops.logical_and(is_token, ops.logical_not(is_second)),
        ops.logical_and(is_token, is_second),
    )
