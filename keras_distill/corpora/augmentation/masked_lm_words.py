"""The words that a masked language model would put in place of others."""

import functools

import keras
import numpy as np
from keras import ops

from keras_distill.checks.arguments import check_int
from keras_distill.corpora.augmentation.stop_words import STOP_WORDS
from keras_distill.data.tokenized.predict import compiled
from keras_distill.features import select_inputs
from keras_distill.packing import layout_of
from keras_distill.packing.tokenization import Ragged
from keras_distill.packing.tokenization import space_before_word
from keras_distill.packing.tokenization import tokenize
from keras_distill.packing.word_starts import BYTES_BEGIN
from keras_distill.packing.word_starts import GOES_ON
from keras_distill.packing.word_starts import begin_mark

# More than are asked for, for the word itself in other capitals.
_SPARE = 3
# The longest row of a batch over its shortest, unless there are few rows.
_SPREAD, _FEW = 1.2, 16


class MaskedLMWords:
    """What a masked language model would put in place of words.

    A word is masked in its text, which is read as the model's tokenizer packs
    it, and the words that the model finds likeliest there are taken: whole
    words of letters, neither stop words nor the masked word itself. Of a word
    of several pieces nothing is said.

    Each masked word is a row of its own. Rows of about the same length go
    through the model together, and the head sees the masked position of each
    only.

    Args:
        masked_lm: `keras_hub.models.MaskedLM` with a preprocessor, such as
            that of `keras_distill.models.load_masked_lm`.
        num_words: int. How many words for each. Defaults to `15`.
        context_length: int. The most pieces that a row has, special ones
            included. Of a longer text those around the masked word are read.
            Defaults to `128`, or what the model can read, if that is less.
        repeats_text: bool. Whether the text itself, with nothing masked,
            stands behind the masked one as a second text, as in TinyBERT's
            script: the model then sees the answer, and the word itself is
            among those that are taken, and so may be stop words. A row is as
            long as the model can read, and words that are not in it get
            none. Defaults to `False`.
        stop_words: set of str, in small letters, that are put in place of no
            word. Defaults to English ones, `STOP_WORDS`.
        positions_per_forward: int. The most rows that go through the model
            at once. Defaults to `None`: 2048 where there is an accelerator;
            on a CPU 128, which are twice as fast there, as they stay in its
            caches.
        pieces_per_forward: int. The most pieces of these, padding included.
            Defaults to `32768`.

    Raises:
        ValueError: If the model has no tokenizer with a mask.
    """

    def __init__(
        self,
        masked_lm,
        num_words=15,
        context_length=128,
        repeats_text=False,
        stop_words=STOP_WORDS,
        positions_per_forward=None,
        pieces_per_forward=32768,
    ):
        self._num_words = check_int("num_words", num_words, minimum=1)
        check_int("context_length", context_length, minimum=3)
        check_int(
            "positions_per_forward",
            positions_per_forward,
            minimum=1,
            optional=True,
        )
        check_int("pieces_per_forward", pieces_per_forward, minimum=1)
        self._tokenizer = _tokenizer_of(masked_lm)
        self._layout = layout_of(self._tokenizer)
        self._repeats_text = repeats_text
        longest = getattr(masked_lm.backbone, "max_sequence_length", None)
        self._length = context_length if not repeats_text else longest or 512
        if longest is not None:
            self._length = min(self._length, longest)
        self._layout.check_room(self._length, 1 + repeats_text)
        self._positions = positions_per_forward or _positions_at_once()
        self._pieces = pieces_per_forward
        self._words = vocabulary_words(self._tokenizer)
        if repeats_text:
            # The first ones of all pieces, as in the script.
            size = masked_lm.backbone.vocabulary_size
            best = _BestWords(min(num_words, size))
            self._model = keras.Model(masked_lm.input, best(masked_lm.output))
        else:
            self._model = _best_words(
                masked_lm, self._words, stop_words, num_words + _SPARE
            )
        self._run = None
        # The pieces of each word that was met.
        self._pieces_of = {}

    @functools.cached_property
    def is_uncased(self):
        """Whether the tokenizer makes small letters of all."""
        small, large = _pieces(["aba", "ABA"], self._tokenizer)
        return small == large

    def find(self, texts):
        """The likeliest words in the places of those that may be replaced.

        Args:
            texts: list of `Words`.

        Returns:
            List of dicts, one for each text, of a word's place to a list of
            str in the order of the alphabet: rounding cannot change that. It
            is empty for a word of one piece that no row reaches. Words of
            several pieces are left out.
        """
        rows, jobs = self._rows(texts)
        found = [{} for _ in texts]
        for text, place, _, position in jobs:
            if position is None:
                found[text][place] = []
        jobs = [job for job in jobs if job[-1] is not None]
        lengths = np.array([len(rows[job[2]][0]) for job in jobs], "int64")
        order = np.argsort(lengths, kind="stable")
        for batch in self._batches(order, lengths):
            chosen = [jobs[job] for job in batch]
            ids = self._predict(rows, chosen)
            for (text, place, *_), of_row in zip(chosen, ids, strict=True):
                word = texts[text].words[place]
                found[text][place] = self._usable(of_row, word)
        return [dict(sorted(of_text.items())) for of_text in found]

    def _usable(self, ids, word):
        """The words of some ids, sorted."""
        words = [self._words[i] for i in ids if self._words[i] is not None]
        if not self._repeats_text:
            words = [one for one in words if one.lower() != word.lower()]
        return sorted(words[: self._num_words])

    def _rows(self, texts):
        """What is read, and where in it each word of one piece stands.

        Returns:
            List of rows, each the ids and the segments; and of jobs: the
            text, the word's place, the row and the position to mask, `None`
            where no row reaches the word.
        """
        space = space_before_word(self._tokenizer)
        of_texts = [
            [
                space * words.follows_space(place) + word
                for place, word in enumerate(words.words)
            ]
            for words in texts
        ]
        known = self._pieces_of
        new = {x: None for words in of_texts for x in words if x not in known}
        if new:
            known |= zip(new, _pieces(list(new), self._tokenizer), strict=True)
        rows, jobs = [], []
        for text, (words, of_words) in enumerate(
            zip(texts, of_texts, strict=True)
        ):
            ids = [piece for word in of_words for piece in known[word]]
            counts = [len(known[word]) for word in of_words]
            starts = np.cumsum([0, *counts])
            places = [x for x in words.replaceable if counts[x] == 1]
            shared = None
            for place in places:
                start = int(starts[place])
                first = self._first(start, len(ids))
                if shared is None or first != shared:
                    shared = first
                    rows.append(self._row(ids, first))
                position = start - first + len(self._layout.start)
                if position >= len(rows[-1][0]):
                    position = None
                jobs.append((text, place, len(rows) - 1, position))
        return rows, jobs

    def _first(self, start, count):
        """Where in a text its row begins, so that a piece is in the middle."""
        room = self._length - self._layout.num_special_tokens(1)
        if self._repeats_text or count <= room:
            return 0
        # Words near to one another share a row.
        half = max(1, room // 2)
        return min(max(0, (start // half) * half - half // 2), count - room)

    def _row(self, ids, first):
        """The ids of a row and their segments."""
        texts = [ids[first:], ids] if self._repeats_text else [ids[first:]]
        room = self._length - self._layout.num_special_tokens(len(texts))
        if self._repeats_text:
            # The end is cut off, whatever it is, as in the script.
            room = max(map(len, texts))
        row, segments = [], []
        for segment, part in self._layout.parts(texts):
            part = list(part[:room])
            row += part
            segments += [segment] * len(part)
        return row[: self._length], segments[: self._length]

    def _batches(self, order, lengths):
        """Cuts jobs in the order of their lengths into batches."""
        first = 0
        while first < len(order):
            last = first + 1
            longest = _SPREAD * lengths[order[first]]
            while (
                last < len(order)
                and last - first < self._positions
                and (last + 1 - first) * lengths[order[last]] <= self._pieces
                and (last - first < _FEW or lengths[order[last]] <= longest)
            ):
                last += 1
            yield order[first:last]
            first = last

    def _predict(self, rows, jobs):
        """The ids of the likeliest words at the masked positions."""
        length = max(len(rows[row][0]) for _, _, row, _ in jobs)
        shape = len(jobs), length
        token_ids = np.full(shape, self._layout.pad, "int32")
        segment_ids = np.zeros(shape, "int32")
        padding_mask = np.zeros(shape, "int32")
        positions = np.array([[job[-1]] for job in jobs], "int32")
        for number, (_, _, row, position) in enumerate(jobs):
            ids, segments = rows[row]
            token_ids[number, : len(ids)] = ids
            segment_ids[number, : len(ids)] = segments
            padding_mask[number, : len(ids)] = 1
            token_ids[number, position] = self._tokenizer.mask_token_id
        x = {
            "token_ids": token_ids,
            "segment_ids": segment_ids,
            "padding_mask": padding_mask,
            "mask_positions": positions,
        }
        x = select_inputs(self._model, x, "masked_lm")
        if self._run is None:
            self._run = compiled(self._model, x)
        return ops.convert_to_numpy(self._run(x))


class _BestWords(keras.layers.Layer):
    """The ids of the largest logits, of whole words alone if told which."""

    def __init__(self, count, is_word=None):
        super().__init__()
        self._count = count
        self._penalty = None
        if is_word is not None:
            self._penalty = np.where(is_word, 0.0, -np.inf)

    def call(self, logits):
        logits = logits[:, 0]
        if self._penalty is not None:
            logits = logits + ops.cast(self._penalty, logits.dtype)
        return ops.top_k(logits, self._count)[1]


def vocabulary_words(tokenizer):
    """The pieces of a tokenizer that are whole words of letters.

    Args:
        tokenizer: KerasHub tokenizer.

    Returns:
        List of str by id, `None` for a piece that is none.
    """
    pieces = [str(piece) for piece in tokenizer.get_vocabulary()]
    begins = begin_mark(pieces)

    def word(piece):
        if not piece.startswith(begins) or piece.startswith(GOES_ON):
            return None
        piece = piece[len(begins) :]
        # Letters of bytes beyond ASCII stand for something else.
        is_plain = begins != BYTES_BEGIN or piece.isascii()
        is_word = is_plain and piece.isalpha() and len(piece) > 1
        return piece if is_word else None

    return list(map(word, pieces))


def _best_words(masked_lm, words, stop_words, count):
    """A model of the ids of the likeliest words at one position a row."""
    # The table of words may have rows that no token has.
    is_word = np.zeros(masked_lm.backbone.vocabulary_size, bool)
    is_word[: len(words)] = [
        word is not None and word.lower() not in stop_words for word in words
    ]
    best = _BestWords(min(count, int(is_word.sum())), is_word)
    return keras.Model(masked_lm.input, best(masked_lm.output))


def _positions_at_once():
    if keras.backend.backend() == "torch":
        # Keras lists no devices there.
        import torch

        return 2048 if torch.cuda.is_available() else 128
    devices = keras.distribution.list_devices()
    return 128 if all(name.startswith("cpu") for name in devices) else 2048


def _tokenizer_of(masked_lm):
    preprocessor = getattr(masked_lm, "preprocessor", None)
    tokenizer = getattr(preprocessor, "tokenizer", None)
    if getattr(tokenizer, "mask_token_id", None) is None:
        raise ValueError(
            "`masked_lm` must have a preprocessor whose tokenizer has a mask. "
            f"Received: a {type(masked_lm).__name__} with the tokenizer "
            f"{type(tokenizer).__name__}."
        )
    return tokenizer


def _pieces(words, tokenizer):
    """A list of the ids of each word."""
    found = []
    for (chunk,) in tokenize((words,), tokenizer):
        found += _lists(chunk)
    return found


def _lists(rows: Ragged):
    values = rows.values.tolist()
    ends = np.cumsum(rows.lengths).tolist()
    starts = [0, *ends[:-1]] if ends else []
    return [values[a:b] for a, b in zip(starts, ends, strict=True)]
