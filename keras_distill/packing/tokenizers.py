"""Tokenizers that give the ids of the Hugging Face package `tokenizers`.

KerasHub's own split at control characters, fold cases, cut words at a hundred
bytes and find no added tokens. Those here are described as `tokenizer.json`
describes them. In Python the package `tokenizers` itself runs, which comes
with KerasHub; in a TensorFlow graph the same is done by TensorFlow's ops, so
that training and serving agree with it.
"""

import json
import pathlib

import keras
import keras_hub
import numpy as np
import tokenizers

# KerasHub exports what its own tokenizers convert inputs with under no
# public name.
from keras_hub.src.utils.tensor_utils import canonicalize_python_string_inputs
from keras_hub.src.utils.tensor_utils import canonicalize_python_token_inputs
from keras_hub.src.utils.tensor_utils import is_int_dtype
from keras_hub.src.utils.tensor_utils import preprocessing_function
from keras_hub.src.utils.tensor_utils import restore_outer_shape

from keras_distill.packing.pieces import BytePairs
from keras_distill.packing.pieces import SentencePieces
from keras_distill.packing.pieces import WordPieces
from keras_distill.packing.tokenization import well_formed
from keras_distill.packing.words import Words

_ASSET = "description.json"
_PACKAGE = "keras_distill"


class DescribedTokenizer(keras_hub.tokenizers.Tokenizer):
    """A tokenizer that is what a `tokenizer.json` describes.

    Args:
        description: dict with the content of a `tokenizer.json`; truncation,
            padding and the post-processor are left out, since KerasHub's
            preprocessors pack. Without it the tokenizer waits for
            `load_assets`. Defaults to `None`.
        special_tokens: dict of the tokens by role: `"start_token"`,
            `"end_token"`, `"pad_token"`, and, where there is one,
            `"mask_token"`.
        sequence_length: int. Length to pad or cut rows to. Defaults to
            `None`: rows as long as they are.
        dtype: str. An integer type, or `"string"` for the tokens themselves.
        **kwargs: Further arguments of `keras_hub.tokenizers.Tokenizer`.

    Raises:
        ValueError: If the description has a part that a graph cannot carry
            out, or a special token is not in the vocabulary.
    """

    # The model that `tokenizer.json` must have.
    _MODEL = None

    def __init__(
        self,
        description=None,
        special_tokens=None,
        sequence_length=None,
        dtype="int32",
        **kwargs,
    ):
        # KerasHub's own class would ask for a vocabulary of its own.
        keras_hub.tokenizers.Tokenizer.__init__(self, dtype=dtype, **kwargs)
        self.sequence_length = sequence_length
        self.file_assets = [_ASSET]
        self._roles = dict(special_tokens or {})
        self._special_token_attrs = []
        for role, token in self._roles.items():
            setattr(self, role, token)
            setattr(self, f"{role}_id", None)
            if token is not None:
                self._special_token_attrs.append(role)
        self._parts = None
        if description is not None:
            self.set_description(description)

    @property
    def description(self):
        """dict. What the tokenizer does, as in `tokenizer.json`."""
        return None if self._parts is None else self._parts.description

    @property
    def special_tokens(self):
        """The special tokens, each once."""
        return list(
            dict.fromkeys(getattr(self, x) for x in self._special_token_attrs)
        )

    @property
    def special_token_ids(self):
        """The ids of the special tokens."""
        return [self.token_to_id(token) for token in self.special_tokens]

    def set_description(self, description):
        """Makes this the tokenizer that a `tokenizer.json` describes.

        Args:
            description: dict with the content of the file.
        """
        _check_model(description, self._MODEL)
        self._parts = parts = _Parts(description)
        for role, token in self._roles.items():
            if token is None:
                continue
            if token not in parts.ids:
                raise ValueError(
                    f"The vocabulary of {len(parts.vocabulary)} tokens has no "
                    f"{token!r}, which is to be the tokenizer's {role}."
                )
            setattr(self, f"{role}_id", parts.ids[token])

    def save_assets(self, dir_path):
        pathlib.Path(dir_path, _ASSET).write_text(
            json.dumps(self.description, ensure_ascii=False), encoding="utf-8"
        )

    def load_assets(self, dir_path):
        path = pathlib.Path(dir_path, _ASSET)
        self.set_description(json.loads(path.read_bytes()))

    def get_config(self):
        return {
            **keras_hub.tokenizers.Tokenizer.get_config(self),
            "special_tokens": dict(self._roles),
            "sequence_length": self.sequence_length,
        }

    def get_vocabulary(self):
        """The tokens by id."""
        return list(self._described().vocabulary)

    def vocabulary_size(self):
        """The number of ids."""
        return len(self._described().vocabulary)

    def id_to_token(self, id):
        """The token of an id."""
        vocabulary = self._described().vocabulary
        if not 0 <= id < len(vocabulary):
            raise ValueError(
                f"`id` must be in range [0, {len(vocabulary) - 1}]. "
                f"Received: {id}"
            )
        return vocabulary[id]

    def token_to_id(self, token):
        """The id of a token."""
        ids = self._described().ids
        if token not in ids:
            raise ValueError(f"Token {token!r} is not in the vocabulary.")
        return ids[token]

    def tokenize(self, inputs):
        """Turns strings into ids, or into tokens with `dtype="string"`."""
        self._described()
        if self._use_tf_workflow():
            return self._tokenize_in_graph(inputs)
        return self._tokenize_in_python(inputs)

    def call(self, inputs, *args, training=None, **kwargs):
        return self.tokenize(inputs)

    def detokenize(self, inputs):
        """Turns rows of ids back into texts, outside of graphs."""
        rows, is_batch = canonicalize_python_token_inputs(inputs)
        texts = self._described().reference.decode_batch(
            rows, skip_special_tokens=False
        )
        return texts if is_batch else texts[0]

    def compute_output_spec(self, input_spec):
        return keras.KerasTensor(
            input_spec.shape + (self.sequence_length,), dtype=self.compute_dtype
        )

    def _described(self):
        if self._parts is None:
            raise ValueError(
                f"{type(self).__name__} has no vocabulary yet. Pass "
                "`description`, or load it with the preset that it was saved "
                "to."
            )
        return self._parts

    def _check_vocabulary(self):
        self._described()

    def _tokenize_in_python(self, inputs):
        texts, is_batch, outer_shape = canonicalize_python_string_inputs(
            inputs, errors="replace"
        )
        is_int = is_int_dtype(self.compute_dtype)
        encoded = self._parts.reference.encode_batch_fast(
            [well_formed(text) for text in texts], add_special_tokens=False
        )
        rows = [row.ids for row in encoded]
        if not is_int:
            vocabulary = self._parts.vocabulary
            rows = [[vocabulary[number] for number in row] for row in rows]
        if self.sequence_length:
            length = self.sequence_length
            pad = self.pad_token_id if is_int else self.pad_token
            rows = [row[:length] + [pad] * (length - len(row)) for row in rows]
            if is_int:
                rows = np.array(rows, dtype=self.compute_dtype)
        if outer_shape is not None:
            return restore_outer_shape(rows, outer_shape)
        if is_batch:
            return rows
        return np.array(rows[0], self.compute_dtype) if is_int else rows[0]

    @preprocessing_function
    def _tokenize_in_graph(self, inputs):
        import tensorflow as tf

        if not isinstance(inputs, tf.RaggedTensor):
            inputs = tf.convert_to_tensor(inputs)
        if isinstance(inputs, tf.RaggedTensor):
            flat = inputs.flat_values
        else:
            flat = tf.reshape(inputs, [-1])
        tokens = self._tokenize_flat(flat)
        if is_int_dtype(self.compute_dtype):
            tokens = tf.cast(tokens, self.compute_dtype)
            pad = self.pad_token_id
        else:
            tokens = tokens.with_values(
                tf.gather(self._parts.vocabulary, tokens.values)
            )
            pad = self.pad_token
        if self.sequence_length:
            tokens = tokens.to_tensor(
                default_value=pad, shape=[None, self.sequence_length]
            )
        if isinstance(inputs, tf.RaggedTensor):
            return inputs.with_flat_values(tokens)
        if inputs.shape.rank == 0:
            return tokens[0]
        if inputs.shape.rank == 1:
            return tokens
        if isinstance(tokens, tf.Tensor):
            shape = tf.concat([tf.shape(inputs), [self.sequence_length]], 0)
            return tf.reshape(tokens, shape)
        for size in reversed(tf.unstack(tf.shape(inputs, tf.int64))[1:]):
            tokens = tf.RaggedTensor.from_uniform_row_length(tokens, size)
        return tokens

    def _tokenize_flat(self, texts):
        """The ids of a string tensor `(n,)` as an int32 ragged tensor."""
        import tensorflow as tf

        words, owners, lengths, ids = self._parts.words(texts)
        pieces = self._pieces()(words, lengths)
        is_token = ids >= 0

        def with_added_tokens():
            added = tf.RaggedTensor.from_row_lengths(
                tf.boolean_mask(ids, is_token),
                tf.cast(is_token, "int64"),
                validate=False,
            )
            both = tf.concat([pieces, added], axis=1)
            return both.values, both.row_lengths()

        values, counts = tf.cond(
            tf.reduce_any(is_token),
            with_added_tokens,
            lambda: (pieces.values, pieces.row_lengths()),
        )
        counts = tf.math.unsorted_segment_sum(
            counts, owners, tf.size(texts, tf.int64)
        )
        return tf.RaggedTensor.from_row_lengths(
            tf.ensure_shape(values, [None]), counts, validate=False
        )

    def _pieces(self):
        """What cuts words in graphs, made outside of any."""
        if self._parts.pieces is None:
            import tensorflow as tf

            with tf.init_scope():
                self._parts.pieces = self._make_pieces()
        return self._parts.pieces

    def _make_pieces(self):
        raise NotImplementedError


class _Parts:
    """A description and what it is carried out with."""

    def __init__(self, description):
        self.description = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": description.get("added_tokens") or [],
            "normalizer": description.get("normalizer"),
            "pre_tokenizer": description.get("pre_tokenizer"),
            "post_processor": None,
            "decoder": description.get("decoder"),
            "model": description["model"],
        }
        self.words = Words(
            self.description["normalizer"],
            self.description["pre_tokenizer"],
            self.description["added_tokens"],
        )
        try:
            self.reference = tokenizers.Tokenizer.from_str(
                json.dumps(self.description)
            )
        # The package raises `Exception` itself.
        except Exception as error:
            raise ValueError(
                f"`tokenizers` cannot read the description ({error})."
            ) from error
        self.ids = self.reference.get_vocab(with_added_tokens=True)
        self.vocabulary = _by_id(self.ids)
        self.pieces = None

    @property
    def model(self):
        return self.description["model"]

    def reference_model(self):
        """The model with the numbers that `tokenizers` reads in the file."""
        return json.loads(self.reference.to_str())["model"]


# Options of models that no graph here has, and what they are without them.
_PLAIN = {
    "dropout": (None, 0.0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "fuse_unk": (None, False),
    "byte_fallback": (None, False),
    "ignore_merges": (None, False),
}


def _check_model(description, expected):
    """Refuses a model that a graph would cut words otherwise than."""
    model = description["model"]
    kind = model.get("type")
    if kind != expected:
        raise ValueError(
            f"`description` must have a model of type {expected!r}. "
            f"Received: {kind!r}"
        )
    for option, plain in _PLAIN.items():
        if kind == "WordPiece" or option not in model:
            continue
        if model[option] not in plain:
            raise ValueError(
                f"tokenizer.json has a {kind} model with "
                f"{option}={model[option]!r}, which no graph of TensorFlow "
                f"carries out here. Supported: {plain[-1]!r}."
            )
    is_of_bytes = '"ByteLevel"' in json.dumps(description.get("pre_tokenizer"))
    if is_of_bytes != (kind == "BPE"):
        raise ValueError(
            f"tokenizer.json has a {kind} model "
            f"{'with' if is_of_bytes else 'without'} the pre-tokenizer "
            "ByteLevel. Supported are BPE with it, as RoBERTa has it, and "
            "WordPiece and Unigram without."
        )


def _by_id(ids):
    """Tokens by id; an id without one gets a name that no text has."""
    tokens = [f"[no token {number}]" for number in range(max(ids.values()) + 1)]
    for token, number in ids.items():
        tokens[number] = token
    return tokens


class _WordPiece(DescribedTokenizer):
    """WordPiece, as BERT and DistilBERT have it."""

    _MODEL = "WordPiece"

    def set_description(self, description):
        super().set_description(description)
        model = self._parts.model
        normalizer = description.get("normalizer") or {}
        # What KerasHub's class shows of itself.
        self.oov_token = model["unk_token"]
        self.suffix_indicator = model["continuing_subword_prefix"]
        self.lowercase = bool(normalizer.get("lowercase"))
        strip_accents = normalizer.get("strip_accents")
        self.strip_accents = (
            self.lowercase if strip_accents is None else strip_accents
        )
        self.split_on_cjk = bool(normalizer.get("handle_chinese_chars"))
        self.split = self.special_tokens_in_strings = True

    def _make_pieces(self):
        model = self._parts.model
        return WordPieces(model, _by_id(model["vocab"]))


@keras.saving.register_keras_serializable(_PACKAGE)
class BertTokenizer(_WordPiece, keras_hub.models.BertTokenizer):
    """BERT's WordPiece tokenizer; see `DescribedTokenizer`."""


@keras.saving.register_keras_serializable(_PACKAGE)
class DistilBertTokenizer(_WordPiece, keras_hub.models.DistilBertTokenizer):
    """DistilBERT's WordPiece tokenizer; see `DescribedTokenizer`."""


@keras.saving.register_keras_serializable(_PACKAGE)
class RobertaTokenizer(DescribedTokenizer, keras_hub.models.RobertaTokenizer):
    """RoBERTa's tokenizer of byte pairs; see `DescribedTokenizer`."""

    _MODEL = "BPE"

    def set_description(self, description):
        super().set_description(description)
        pre_tokenizer = description.get("pre_tokenizer") or {}
        # What KerasHub's class shows of itself.
        self.vocabulary = dict(self._parts.ids)
        self.merges = [" ".join(pair) for pair in _pairs(self._parts.model)]
        self.add_prefix_space = bool(pre_tokenizer.get("add_prefix_space"))
        self.unsplittable_tokens = self.special_tokens

    def _make_pieces(self):
        model = self._parts.model
        merges = _pairs(model)
        return BytePairs({**model, "merges": merges}, _by_id(model["vocab"]))


def _pairs(model):
    """The merges as pairs; older files write them as one string."""
    return [
        tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge)
        for merge in model["merges"]
    ]


@keras.saving.register_keras_serializable(_PACKAGE)
class XLMRobertaTokenizer(
    DescribedTokenizer, keras_hub.models.XLMRobertaTokenizer
):
    """XLM-RoBERTa's unigram tokenizer; see `DescribedTokenizer`."""

    _MODEL = "Unigram"

    def __init__(self, description=None, **kwargs):
        self.proto = None
        self._sentence_piece = None
        super().__init__(description, **kwargs)

    def set_description(self, description):
        super().set_description(description)
        try:
            pieces = SentencePieces(self._parts.reference_model())
        except ImportError:
            # Without TensorFlow there is no graph to run in.
            return
        self._parts.pieces = pieces
        # A resource, which is saved with a graph only if the layer holds it.
        self._sentence_piece = pieces.tokenizer
