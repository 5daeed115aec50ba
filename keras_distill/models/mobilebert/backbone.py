"""MobileBERT, and its inverted-bottleneck teacher."""

import warnings

import keras
import keras_hub

from keras_distill.checks.arguments import check_int
from keras_distill.models.mobilebert.architectures import architecture
from keras_distill.models.mobilebert.block import NO_NORM
from keras_distill.models.mobilebert.block import SHARED_BOTTLENECK
from keras_distill.models.mobilebert.block import MobileBertBlock
from keras_distill.models.mobilebert.block import kernel_initializer
from keras_distill.models.mobilebert.block import normalization_layer
from keras_distill.models.mobilebert.trigram import Trigram


@keras.saving.register_keras_serializable("keras_distill")
class MobileBertBackbone(keras_hub.models.Backbone):
    """MobileBERT, and its inverted-bottleneck teacher.

    A deep and thin BERT. Its states are `hidden_dim` wide between blocks and
    `intra_dim` wide inside them; a word is made of three vectors of
    `embedding_dim`, its own and those of its neighbours. In the teacher,
    IB-BERT, blocks are as wide as BERT-large's, and states between them as
    wide as the student's, so that each of its layers teaches one of the
    student's without a projection.

    Four architectures have names, which `from_preset` takes with
    `load_weights=False`:

    - `"mobilebert"`, what was released: 24,581,888 weights;
    - `"mobilebert_paper"`, the paper's table as it stands, where attention
      reads the states between blocks: 25,359,104;
    - `"mobilebert_tiny"`, with two feed-forward networks in a block, where
      attention reads the block's bottleneck: 15,485,696;
    - `"ib_bert_large"`, the teacher: 294,467,840, its pooler among them.

    Outputs: `"sequence_output"` `(B, L, hidden_dim)`; `"pooled_output"`
    `(B, hidden_dim)`, the first token's state, and with `use_pooler` what a
    dense layer with tanh makes of it.

    In float16 states overflow, since nothing bounds what `NoNorm` gives: a
    warning says so. bfloat16 has float32's range.

    Args:
        vocabulary_size: int. Number of words.
        num_layers: int. Number of blocks.
        num_heads: int. Attention heads per block; divides `intra_dim`.
        embedding_dim: int. Width of the table of words.
        hidden_dim: int. Width of the states between blocks.
        intra_dim: int. Width inside a block.
        intermediate_dim: int. Width of the feed-forward networks.
        num_feedforward_networks: int. Feed-forward networks above each other
            in a block. Defaults to `4`.
        attention_inputs: str. What queries, keys and values are made of.
            `"shared_bottleneck"`: queries and keys of a bottleneck of their
            own, which they share, and values of the states between blocks.
            `"bottleneck"`: all of the block's bottleneck. `"block"`: all of
            the states between blocks. Defaults to `"shared_bottleneck"`.
        normalization: str. `"no_norm"` or `"layer_norm"`. Defaults to
            `"no_norm"`.
        layer_norm_epsilon: float. Added to the variance in each layer
            normalization, that of a masked language model's head as well.
            Defaults to `1e-12`.
        activation: Activation of the feed-forward networks, a name of Keras's
            or a callable. Defaults to `"relu"`.
        dropout: float. Dropout rate of the embeddings and of what leaves a
            block. Defaults to `0.0`.
        attention_dropout: float. Dropout rate of the attention
            probabilities. Defaults to `0.1`.
        trigram_input: bool. Whether a word is made of its own vector and its
            neighbours', rather than of its own alone. Defaults to `True`.
        zero_pad_embedding: bool. Whether padding has zeros in place of a word
            vector. Otherwise the last real token of a text sees the vector of
            the padding behind it, as in the original code, and outputs depend
            on how long the batch is. Only with `trigram_input`. Defaults to
            `True`.
        use_pooler: bool. Whether a dense layer with tanh stands above the
            first token, as in BERT. Defaults to `False`.
        max_sequence_length: int. Number of positions. Defaults to `512`.
        num_segments: int. Number of segments. Defaults to `2`.
        dtype: string or `keras.mixed_precision.DTypePolicy`. The dtype of
            computations and weights.
        **kwargs: Further arguments of `keras_hub.models.Backbone`.

    Call arguments:
        inputs: dict of int32 tensors `(B, L)`: `token_ids`, `segment_ids` and
            `padding_mask`, 1 at real tokens.

    Example:

    ```python
    import numpy as np
    from keras_distill.models import MobileBertBackbone

    backbone = MobileBertBackbone.from_preset(
        "mobilebert_tiny", load_weights=False, num_layers=2
    )
    ids = np.array([[101, 7592, 102]])
    outputs = backbone(
        {"token_ids": ids, "segment_ids": 0 * ids, "padding_mask": 0 * ids + 1}
    )
    assert outputs["sequence_output"].shape == (1, 3, 512)
    ```

    Reference:
        - MobileBERT, Sun et al. 2020, https://arxiv.org/abs/2004.02984;
          official code: `google-research/mobilebert`.
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        embedding_dim,
        hidden_dim,
        intra_dim,
        intermediate_dim,
        num_feedforward_networks=4,
        attention_inputs=SHARED_BOTTLENECK,
        normalization=NO_NORM,
        layer_norm_epsilon=1e-12,
        activation="relu",
        dropout=0.0,
        attention_dropout=0.1,
        trigram_input=True,
        zero_pad_embedding=True,
        use_pooler=False,
        max_sequence_length=512,
        num_segments=2,
        dtype=None,
        **kwargs,
    ):
        # === Validation ===
        for argument, size in (
            ("vocabulary_size", vocabulary_size),
            ("num_layers", num_layers),
            ("embedding_dim", embedding_dim),
            ("hidden_dim", hidden_dim),
            ("max_sequence_length", max_sequence_length),
            ("num_segments", num_segments),
        ):
            check_int(argument, size, minimum=1)
        if normalization == NO_NORM:
            _warn_of_float16(dtype)
        activation = keras.activations.get(activation)

        # === Layers ===
        self.transformer_layers = [
            MobileBertBlock(
                intra_dim,
                num_heads,
                intermediate_dim,
                num_feedforward_networks,
                attention_inputs,
                normalization,
                layer_norm_epsilon,
                activation,
                dropout,
                attention_dropout,
                dtype=dtype,
                name=f"transformer_layer_{number}",
            )
            for number in range(num_layers)
        ]
        self.token_embedding = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            embedding_dim,
            embeddings_initializer=kernel_initializer(),
            dtype=dtype,
            name="token_embedding",
        )
        self.trigram = None
        if trigram_input:
            self.trigram = Trigram(dtype=dtype, name="trigram")
        self.embeddings_projection = keras.layers.Dense(
            hidden_dim,
            kernel_initializer=kernel_initializer(),
            dtype=dtype,
            name="embeddings_projection",
        )
        self.position_embedding = keras_hub.layers.PositionEmbedding(
            max_sequence_length,
            initializer=kernel_initializer(),
            dtype=dtype,
            name="position_embedding",
        )
        self.segment_embedding = keras.layers.Embedding(
            num_segments,
            hidden_dim,
            embeddings_initializer=kernel_initializer(),
            dtype=dtype,
            name="segment_embedding",
        )
        self.embeddings_add = keras.layers.Add(
            dtype=dtype, name="embeddings_add"
        )
        # Called as in other backbones, whichever it is.
        self.embeddings_layer_norm = normalization_layer(
            normalization,
            layer_norm_epsilon,
            dtype=dtype,
            name="embeddings_layer_norm",
        )
        self.embeddings_dropout = keras.layers.Dropout(
            dropout, dtype=dtype, name="embeddings_dropout"
        )
        if use_pooler:
            self.pooled_dense = keras.layers.Dense(
                hidden_dim,
                kernel_initializer=kernel_initializer(),
                activation="tanh",
                dtype=dtype,
                name="pooled_dense",
            )

        # === Functional Model ===
        inputs = {
            name: keras.Input((None,), dtype="int32", name=name)
            for name in ("token_ids", "segment_ids", "padding_mask")
        }
        padding_mask = inputs["padding_mask"]
        words = self.token_embedding(inputs["token_ids"])
        if trigram_input:
            words = self.trigram(
                words, padding_mask=padding_mask if zero_pad_embedding else None
            )
        words = self.embeddings_projection(words)
        positions = self.position_embedding(words)
        segments = self.segment_embedding(inputs["segment_ids"])
        x = self.embeddings_add((words, positions, segments))
        x = self.embeddings_layer_norm(x)
        x = self.embeddings_dropout(x)
        for layer in self.transformer_layers:
            x = layer(x, padding_mask=padding_mask)
        pooled = x[:, 0, :]
        if use_pooler:
            pooled = self.pooled_dense(pooled)
        super().__init__(
            inputs=inputs,
            outputs={"sequence_output": x, "pooled_output": pooled},
            dtype=dtype,
            **kwargs,
        )

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.embedding_dim = embedding_dim
        self.hidden_dim = hidden_dim
        self.intra_dim = intra_dim
        self.intermediate_dim = intermediate_dim
        self.num_feedforward_networks = num_feedforward_networks
        self.attention_inputs = attention_inputs
        self.normalization = normalization
        self.layer_norm_epsilon = layer_norm_epsilon
        self.activation = activation
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.trigram_input = trigram_input
        self.zero_pad_embedding = zero_pad_embedding
        self.use_pooler = use_pooler
        self.max_sequence_length = max_sequence_length
        self.num_segments = num_segments
        self.cls_token_index = 0
        # A masked language model's dense layer is wider than the words.
        self.masked_lm_dim = hidden_dim

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """Loads a backbone, or builds a named architecture.

        Args:
            preset: str or path. A folder that `save_to_preset` wrote, a
                Hugging Face folder of a MobileBERT, a folder with a
                checkpoint and a config of the original code, or the name of
                an architecture, such as `"mobilebert"`.
            load_weights: bool. A name has no weights: `False` says that they
                shall be random. Defaults to `True`.
            **kwargs: Arguments of the class, in place of the preset's; of a
                Hugging Face folder's, `dtype` alone.

        Returns:
            `MobileBertBackbone`.

        Raises:
            ValueError: If weights are asked for of a name, or a folder cannot
                be expressed.
        """
        # They stand on this module.
        from keras_distill.models import hugging_face
        from keras_distill.models import mobilebert_release

        arguments = architecture(preset, load_weights)
        if arguments is not None:
            return cls(**{**arguments, **kwargs})
        if hugging_face.is_hugging_face_folder(preset):
            return hugging_face.load_encoder(
                hugging_face.Checkpoint(preset), load_weights, **kwargs
            )
        release = mobilebert_release.files_of_release(preset)
        if release is not None:
            release = mobilebert_release.ReleasedCheckpoint(*release)
            return release.load_backbone(load_weights, **kwargs)
        return super().from_preset(str(preset), load_weights, **kwargs)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "intra_dim": self.intra_dim,
            "intermediate_dim": self.intermediate_dim,
            "num_feedforward_networks": self.num_feedforward_networks,
            "attention_inputs": self.attention_inputs,
            "normalization": self.normalization,
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "attention_dropout": self.attention_dropout,
            "trigram_input": self.trigram_input,
            "zero_pad_embedding": self.zero_pad_embedding,
            "use_pooler": self.use_pooler,
            "max_sequence_length": self.max_sequence_length,
            "num_segments": self.num_segments,
        }


def _warn_of_float16(dtype):
    policy = keras.dtype_policies.get(
        keras.config.dtype_policy() if dtype is None else dtype
    )
    if policy.compute_dtype == "float16":
        warnings.warn(
            "MobileBERT overflows in float16: nothing bounds the states, since "
            "`NoNorm` only scales and shifts them, and the released weights "
            "bring them to a million, where float16 ends at 65,504. Use "
            '"mixed_bfloat16" or "float32". Received: '
            f"dtype={policy.name!r}",
            stacklevel=3,
        )
