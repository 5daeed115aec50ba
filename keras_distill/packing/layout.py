"""Where a model's preprocessor puts special tokens around texts."""

import dataclasses

import keras_hub
import numpy as np

# What KerasHub's preprocessors know.
_TRUNCATIONS = ("round_robin", "waterfall")


@dataclasses.dataclass(frozen=True)
class Layout:
    """How one or two tokenised texts become one row of a model's input.

    `start first end`, or `start first separator second end`; what is beyond
    the row's end is `pad`. It is a fact of the model: BERT has one separator,
    RoBERTa two. Training, evaluation and serving all read it here.

    Args:
        start: tuple of ints. The tokens before the first text.
        separator: tuple of ints. The tokens between two texts.
        end: tuple of ints. The tokens after the last text.
        pad: int. The token that fills a batch's shorter rows.
        truncate: string. How texts share a row that is too short for them:
            `"round_robin"` hands out its places one at a time, the first
            text first, and what one does not need goes to the other;
            `"waterfall"` serves the first text before the second.

    Example:

    >>> import keras_hub
    >>> from keras_distill.packing import layout_of
    >>> tokens = ["<s>", "<pad>", "</s>", "<mask>", "i", "s", "is"]
    >>> tokenizer = keras_hub.models.RobertaTokenizer(
    ...     {token: index for index, token in enumerate(tokens)}, ["i s"]
    ... )
    >>> layout_of(tokenizer).separator
    (2, 2)
    """

    start: tuple
    separator: tuple
    end: tuple
    pad: int
    truncate: str = "round_robin"

    def num_special_tokens(self, num_texts):
        """The special tokens in a row of so many texts.

        Args:
            num_texts: int.

        Returns:
            int.
        """
        separators = (num_texts - 1) * len(self.separator)
        return len(self.start) + separators + len(self.end)

    def parts(self, texts):
        """What a row is made of, in order.

        Args:
            texts: list of one or two texts, whatever stands for them.

        Returns:
            List of pairs: the segment, 0 for the first text and what closes
            it and 1 for the second; and a tuple of special tokens or one of
            `texts`.
        """
        closings = [self.separator] * (len(texts) - 1) + [self.end]
        found = [(0, self.start)]
        for segment, (text, closing) in enumerate(
            zip(texts, closings, strict=True)
        ):
            found += [(segment, text), (segment, closing)]
        return found

    def kept_lengths(self, lengths, sequence_length, xp=np):
        """How many tokens of each text stay in a row.

        Args:
            lengths: list of one or two integer arrays or tensors: the tokens
                of each row's texts.
            sequence_length: int. The most tokens per row, special ones
                included.
            xp: module with `minimum` and `maximum` of such arrays. Defaults
                to `numpy`.

        Returns:
            List of as many arrays.
        """
        budget = sequence_length - self.num_special_tokens(len(lengths))
        if len(lengths) == 1:
            return [xp.minimum(lengths[0], budget)]
        first, second = lengths
        share = budget
        if self.truncate == "round_robin":
            # The first text takes the odd token, and what the second leaves.
            share = xp.maximum(budget - second, (budget + 1) // 2)
        first = xp.minimum(first, share)
        return [first, xp.minimum(second, budget - first)]

    def marked(self, value):
        """The same layout with one value at all its places.

        Args:
            value: int.

        Returns:
            `Layout`.
        """
        return Layout(
            (value,) * len(self.start),
            (value,) * len(self.separator),
            (value,) * len(self.end),
            value,
            self.truncate,
        )

    def check_room(self, sequence_length, num_texts):
        """Raises unless a row has room for a token of a text.

        Args:
            sequence_length: int. The most tokens per row, special ones
                included.
            num_texts: int.

        Raises:
            ValueError: If the row is too short.
        """
        special = self.num_special_tokens(num_texts)
        if sequence_length <= special:
            raise ValueError(
                "`sequence_length` must leave room for a token between the "
                f"{special} special tokens. Received: {sequence_length}."
            )


def layout_of(source):
    """Reads how a model packs texts.

    Args:
        source: the model's preprocessor, such as
            `keras_hub.models.RobertaTextClassifierPreprocessor`; or a
            tokenizer, which stands for the preprocessor that KerasHub has for
            its family. A tokenizer of no family is packed as BERT's.

    Returns:
        `Layout`.

    Raises:
        ValueError: If the special tokens are unknown, or the tokenizer pads.
    """
    tokenizer = tokenizer_of(source)
    _check_does_not_pad(tokenizer)
    if tokenizer is not source:
        return _layout_of_packer(_packer_of(source))
    start, end, pad = _special_ids(tokenizer)
    family = _preprocessor_class(tokenizer)
    if family is not None:
        # With a name, so that layers that are made later keep theirs.
        preprocessor = family(tokenizer, name="packing")
        return _layout_of_packer(_packer_of(preprocessor))
    return Layout((start,), (end,), (end,), pad)


def tokenizer_of(source):
    """The tokenizer of a preprocessor; a tokenizer is its own."""
    return getattr(source, "tokenizer", source)


def _packer_of(preprocessor):
    """The packer of a preprocessor, which KerasHub makes on first use."""
    if getattr(preprocessor, "packer", None) is None:
        _special_ids(preprocessor.tokenizer)
        preprocessor.build(None)
    return preprocessor.packer


def _layout_of_packer(packer):
    """The layout of a `keras_hub.layers.MultiSegmentPacker`."""
    names = ("start_value", "sep_value", "end_value", "pad_value")
    values = [getattr(packer, name, None) for name in names]
    *around, pad = [_ints(value) for value in values]
    truncate = getattr(packer, "truncate", None)
    if (
        None in around
        or pad is None
        or len(pad) != 1
        or truncate not in _TRUNCATIONS
        or getattr(packer, "padding_side", "right") != "right"
    ):
        raise ValueError(
            "The preprocessor must pack as a keras_hub.layers."
            "MultiSegmentPacker with int ids that pads on the right. "
            f"Received: {type(packer).__name__} with "
            + ", ".join(
                f"{name}={value!r}"
                for name, value in zip(names, values, strict=True)
            )
            + f", truncate={truncate!r}."
        )
    return Layout(*around, pad[0], truncate)


def _ints(value):
    """A tuple of the ints of a value or list, `None` if it holds others."""
    values = value if isinstance(value, (list, tuple)) else [value]
    try:
        return tuple(value.__index__() for value in values)
    except AttributeError:
        return None


def _special_ids(tokenizer):
    """The ids of a tokenizer's start, end and padding token."""
    names = ("start_token_id", "end_token_id", "pad_token_id")
    ids = [getattr(tokenizer, name, None) for name in names]
    for name, value in zip(names, ids, strict=True):
        if not isinstance(value, int):
            raise ValueError(
                f"`tokenizer` must have an int `{name}`, as the WordPiece, "
                "SentencePiece and byte-pair tokenizers of KerasHub's "
                f"classifiers have. Received: {value!r} of a "
                f"{type(tokenizer).__name__}."
            )
    return ids


def _check_does_not_pad(tokenizer):
    if getattr(tokenizer, "sequence_length", None) is not None:
        raise ValueError(
            "`tokenizer` must not pad; make it without `sequence_length`. "
            f"Received: sequence_length={tokenizer.sequence_length}."
        )


def _preprocessor_class(tokenizer):
    """The class of text classifier preprocessors of a tokenizer's family."""
    ancestors = type(tokenizer).__mro__
    backbone_class = getattr(tokenizer, "backbone_cls", None)
    found = [
        cls
        for cls in _subclasses(keras_hub.models.TextClassifierPreprocessor)
        if backbone_class is not None and cls.backbone_cls is backbone_class
    ] or [
        cls
        for cls in _subclasses(keras_hub.models.TextClassifierPreprocessor)
        if cls.tokenizer_cls in ancestors
    ]
    # The one that is made for this very class, or for its nearest ancestor;
    # KerasHub's own before those that a user derived.
    return min(
        found,
        key=lambda cls: (
            ancestors.index(cls.tokenizer_cls)
            if cls.tokenizer_cls in ancestors
            else len(ancestors),
            not cls.__module__.startswith("keras_hub."),
        ),
        default=None,
    )


def _subclasses(cls):
    """All classes that derive from a class, in a fixed order."""
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
