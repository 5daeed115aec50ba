"""Splits texts into words in a TensorFlow graph, as `tokenizers` does."""

import functools
import json

import numpy as np
import tokenizers

from keras_distill.packing.code_points import CODE_POINTS
from keras_distill.packing.code_points import PagedTable
from keras_distill.packing.code_points import code_point_ranges
from keras_distill.packing.normalization import SPACES
from keras_distill.packing.normalization import Normalization
from keras_distill.packing.normalization import decode
from keras_distill.packing.normalization import encode
from keras_distill.packing.normalization import escape
from keras_distill.packing.normalization import make_normalizer

# They look at each character, and at whether the one before is of its class.
_BY_CLASS = (
    "BertPreTokenizer",
    "Digits",
    "Punctuation",
    "Whitespace",
    "WhitespaceSplit",
)
# They leave no white space.
_SPACELESS = ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")
_BEHAVIORS = ("Isolated", "Removed", "Contiguous")
# Classes of characters.
_REMOVED, _WORD, _OTHER, _ALONE = range(4)
# Those of the pre-tokenizer ByteLevel.
_SPACE, _LETTER, _NUMBER, _SIGN = range(4)

# What stands in for an added token while texts are split: no normalizer
# changes it and no pre-tokenizer splits it.
_STAND_IN = "a"
# The last code point of Unicode, which is no character and in no text.
_ZERO = "\U0010ffff"


class Words:
    """Normalizes texts, finds added tokens and splits the rest into words.

    Args:
        normalizer: dict of a normalizer, as in `tokenizer.json`, or `None`.
        pre_tokenizer: dict of a pre-tokenizer, as in `tokenizer.json`.
        added_tokens: list of dicts, as in `tokenizer.json`.

    Raises:
        ValueError: If a graph cannot do what is described.
    """

    def __init__(self, normalizer, pre_tokenizer, added_tokens):
        # The parts that no graph carries out are refused here, by name.
        self._splitters = [_splitter(part) for part in _flat(pre_tokenizer)]
        self._normalization = Normalization(normalizer)
        self._raw = _AddedTokens(
            [x for x in added_tokens if not x["normalized"]], lambda text: text
        )
        self._normalized = _AddedTokens(
            [x for x in added_tokens if x["normalized"]],
            make_normalizer(normalizer),
        )
        if (
            self._normalized.is_empty
            and (normalizer or {}).get("handle_chinese_chars")
            and any(part["type"] in _SPACELESS for part in _flat(pre_tokenizer))
        ):
            # The spaces around ideographs would only be removed again.
            normalizer = {**normalizer, "handle_chinese_chars": False}
            first = next(x for x in self._splitters if isinstance(x, _ByClass))
            first.ideographs_alone = True
            self._normalization = Normalization(normalizer)
        # Mostly, characters are normalized and split without becoming strings
        # in between.
        self._normalizes_first = not self._normalized.is_empty or (
            any(isinstance(x, _ByteLevel) for x in self._splitters)
            and not self._normalization.is_empty
        )

    def __call__(self, texts):
        """Splits a string tensor `(n,)`.

        Returns:
            A tuple of tensors `(words,)`: the words, of which added tokens
            are empty; the text of each; its number of characters; the id of
            an added token, or -1. The words of a text stand in their order.
        """
        import tensorflow as tf

        owners = tf.range(tf.size(texts, tf.int64))
        ids = tf.fill(tf.shape(texts), -1)
        segments, owners, ids = self._raw.split(texts, owners, ids)
        segments = tf.where(ids >= 0, _STAND_IN, segments)
        if self._normalizes_first:
            if not self._normalization.is_empty:
                segments = encode(
                    *self._normalization(segments), tf.size(segments, tf.int64)
                )
            segments, owners, ids = self._normalized.split(
                segments, owners, ids
            )
            segments = tf.where(ids >= 0, _STAND_IN, segments)
        for splitter in self._splitters:
            segments = splitter.prepare(segments, ids >= 0)
        read = decode if self._normalizes_first else self._normalization
        state = _State(*read(segments), ids, owners)
        for splitter in self._splitters:
            splitter.mark(state)
        return state.words()


class _State:
    """Characters, and where words start among them.

    Attributes:
        code_points: int32 tensor `(n,)`.
        rows: int64 tensor `(n,)`, the segment of each.
        is_first: bool tensor `(n,)`. The first of its segment.
        starts: bool tensor `(n,)`. The first of a word.
        kept: bool tensor `(n,)`, or `None` if all are.
        prefixes: string tensor `(n,)` put before the word that starts there,
            or `None`.
    """

    def __init__(self, code_points, rows, ids, owners):
        self.code_points, self.rows = code_points, rows
        self.ids, self.owners = ids, owners
        self.is_first = self.before(rows, -1) != rows
        self.starts = self.is_first
        self.kept = None
        self.prefixes = None

    @staticmethod
    def before(values, fill):
        """The value of the character before each."""
        import tensorflow as tf

        return tf.concat([tf.constant([fill], values.dtype), values[:-1]], 0)

    @staticmethod
    def after(values, fill):
        """The value of the character after each."""
        import tensorflow as tf

        return tf.concat([values[1:], tf.constant([fill], values.dtype)], 0)

    def words(self):
        """What `Words` gives."""
        import tensorflow as tf

        code_points, rows, starts = self.code_points, self.rows, self.starts
        prefixes = self.prefixes
        if self.kept is None:
            places = tf.where(starts)[:, 0]
            begins = places
        else:
            places = tf.where(starts & self.kept)[:, 0]
            # Where they are once the others have left.
            begins = tf.cumsum(tf.cast(self.kept, "int32"), exclusive=True)
            begins = tf.cast(tf.gather(begins, places), "int64")
            code_points = tf.gather(code_points, tf.where(self.kept)[:, 0])
        splits = tf.concat([begins, [tf.size(code_points, tf.int64)]], 0)
        lengths = splits[1:] - splits[:-1]
        segment = tf.gather(rows, places)
        words = tf.strings.unicode_encode(
            tf.RaggedTensor.from_row_splits(
                code_points, splits, validate=False
            ),
            "UTF-8",
        )
        if prefixes is not None:
            prefix = tf.gather(prefixes, places)
            words = tf.strings.join([prefix, words])
        ids = tf.gather(self.ids, segment)
        words = tf.cond(
            tf.reduce_any(self.ids >= 0),
            lambda: tf.where(ids >= 0, "", words),
            lambda: words,
        )
        return words, tf.gather(self.owners, segment), lengths, ids


class _AddedTokens:
    """Tokens that are found in a text before anything else is.

    Args:
        tokens: list of dicts, as in `tokenizer.json`.
        normalize: function of a string: what is searched for.
    """

    def __init__(self, tokens, normalize):
        contents = {}
        for token in tokens:
            if token["single_word"]:
                raise ValueError(
                    f"The added token {token['content']!r} has single_word="
                    "true, which TensorFlow's regular expressions cannot "
                    "tell. Set it to false in tokenizer.json, in "
                    '"added_tokens".'
                )
            content = normalize(token["content"])
            if content:
                contents[content] = token
        # Of those that start at the same place, the longest counts.
        ordered = sorted(contents, key=len, reverse=True)
        self._pattern = "|".join(
            _pattern(content, contents[content]) for content in ordered
        )
        self._contents = ordered
        self._ids = np.array([contents[x]["id"] for x in ordered], "int32")
        self._takes_spaces = any(
            token["lstrip"] or token["rstrip"] for token in contents.values()
        )

    @property
    def is_empty(self):
        return not self._contents

    def split(self, texts, owners, ids):
        """Cuts texts at the tokens.

        Args:
            texts: string tensor `(n,)`.
            owners: int64 tensor `(n,)`.
            ids: int32 tensor `(n,)`, -1 where no token has been found.

        Returns:
            The same three for the segments, `(m,)`.
        """
        import tensorflow as tf

        if self.is_empty:
            return texts, owners, ids
        has_token = tf.strings.regex_full_match(
            texts, f"(?s).*(?:{self._pattern}).*"
        )
        segments, owners, ids = tf.cond(
            tf.reduce_any(has_token),
            lambda: self._split(texts, owners, ids),
            lambda: (texts, owners, ids),
        )
        return tuple(
            tf.ensure_shape(x, [None]) for x in (segments, owners, ids)
        )

    def _split(self, texts, owners, ids):
        import tensorflow as tf
        import tensorflow_text as tf_text

        # The op takes a zero for the end of a text.
        texts = tf.strings.regex_replace(texts, r"\x00", _ZERO)
        segments = tf_text.regex_split(
            texts,
            delim_regex_pattern=self._pattern,
            keep_delim_regex_pattern=self._pattern,
        )
        rows = segments.value_rowids()
        segments = tf.strings.regex_replace(segments.values, _ZERO, "\0")
        content = segments
        if self._takes_spaces:
            for end in (rf"^{SPACES}+", rf"{SPACES}+$"):
                content = tf.strings.regex_replace(content, end, "")
        found = tf.reduce_max(
            tf.where(
                content[:, None] == tf.constant(self._contents),
                self._ids,
                -1,
            ),
            axis=1,
        )
        ids = tf.gather(ids, rows)
        return segments, tf.gather(owners, rows), tf.where(ids < 0, found, ids)


def _pattern(content, token):
    before = f"{SPACES}*" if token["lstrip"] else ""
    after = f"{SPACES}*" if token["rstrip"] else ""
    return before + escape(content) + after


class _ByClass:
    """Splits where the class of the characters changes."""

    def __init__(self, part):
        self._part = json.dumps(part)
        self.ideographs_alone = False

    def prepare(self, segments, is_token):
        return segments

    def mark(self, state):
        table = _classes(self._part, self.ideographs_alone)
        classes = table(state.code_points)
        state.starts |= (classes == _ALONE) | (
            classes != state.before(classes, -1)
        )
        kept = classes != _REMOVED
        state.kept = kept if state.kept is None else state.kept & kept


@functools.lru_cache(maxsize=8)
def _classes(part, ideographs_alone):
    """The classes that a pre-tokenizer, given as JSON, tells apart."""
    split = _pre_tokenizer(json.loads(part))
    classes = np.full(CODE_POINTS, _WORD, "int32")
    kinds = {1: _WORD, 2: _REMOVED, 3: _OTHER, 4: _ALONE}
    for code_point, stop in code_point_ranges():
        pieces = split(f"a{chr(code_point) * 2}a")
        classes[code_point:stop] = kinds[len(pieces)]
    if ideographs_alone:
        classes[_ideographs()] = _ALONE
    return PagedTable(classes)


def _ideographs():
    """Where the characters are that BERT puts spaces around."""
    options = {"clean_text": False, "strip_accents": False, "lowercase": False}
    surround = make_normalizer(
        {"type": "BertNormalizer", "handle_chinese_chars": True, **options}
    )
    values = np.zeros(CODE_POINTS, "bool")
    for code_point, stop in code_point_ranges():
        values[code_point:stop] = len(surround(chr(code_point))) > 1
    return values


class _Metaspace:
    """SentencePiece's: a space starts a word and is a part of it."""

    def __init__(self, part):
        self._mark = part["replacement"]
        scheme = part.get("prepend_scheme")
        if scheme is None:
            scheme = "always" if part.get("add_prefix_space", True) else "never"
        if scheme not in ("always", "never"):
            raise ValueError(
                "tokenizer.json has the pre-tokenizer Metaspace with "
                f"prepend_scheme={scheme!r}, which depends on what a "
                'normalizer removed. Supported are "always", as XLM-RoBERTa '
                'has it, and "never".'
            )
        self._prepends = scheme == "always"
        self._split = part.get("split", True)

    def prepare(self, segments, is_token):
        return segments

    def mark(self, state):
        import tensorflow as tf

        mark = ord(self._mark)
        state.code_points = tf.where(
            state.code_points == ord(" "), mark, state.code_points
        )
        is_mark = state.code_points == mark
        if self._prepends:
            needed = state.starts & ~is_mark
            state.prefixes = tf.where(needed, self._mark, "")
        if self._split:
            state.starts |= is_mark


class _ByteLevel:
    """GPT-2's: a space belongs to the word after it."""

    _CONTRACTIONS = ("s", "t", "re", "ve", "m", "ll", "d")

    def __init__(self, part):
        if not part.get("use_regex", True):
            raise ValueError(
                "tokenizer.json has the pre-tokenizer ByteLevel with "
                "use_regex=false, whose words another one splits. Supported "
                "is use_regex=true, as RoBERTa has it."
            )
        self._adds_space = part.get("add_prefix_space", True)

    def prepare(self, segments, is_token):
        import tensorflow as tf

        if not self._adds_space:
            return segments
        has_space = tf.strings.substr(segments, 0, 1) == " "
        return tf.where(
            has_space | is_token | (segments == ""),
            segments,
            tf.strings.join([" ", segments]),
        )

    def mark(self, state):
        import tensorflow as tf

        code_points, first = state.code_points, state.is_first
        kinds = _byte_level_classes()(code_points)
        is_space = kinds == _SPACE
        before = state.before(kinds, -1)
        follows_space = (before == _SPACE) & ~first
        is_last = state.after(first, True)
        # Of several spaces, the last one goes with the word after them.
        starts = tf.where(
            is_space,
            ~follows_space | (~is_last & (state.after(kinds, -1) != _SPACE)),
            tf.where(
                follows_space,
                state.before(code_points, -1) != ord(" "),
                kinds != before,
            ),
        )
        starts |= first
        # 's, 'll and the like are words where the apostrophe starts one.
        begins = starts & (code_points == ord("'"))
        for letters in self._CONTRACTIONS:
            matches, ends = begins, begins
            for letter in letters:
                ends = state.before(ends, False) & ~first
                ends &= code_points == ord(letter)
            matches = ends
            for _ in letters:
                starts &= ~matches
                matches = state.after(matches, False)
            starts |= state.before(ends, False)
        state.starts |= starts


@functools.lru_cache(maxsize=1)
def _byte_level_classes():
    split = _pre_tokenizer(
        {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": True,
            "use_regex": True,
        }
    )
    classes = np.zeros(CODE_POINTS, "int32")
    for code_point, stop in code_point_ranges():
        pieces = split(f"a{chr(code_point) * 2}1")
        ends = [end for _, (_, end) in pieces]
        if ends == [3, 4]:
            kind = _LETTER
        elif ends == [1, 4]:
            kind = _NUMBER
        elif ends == [1, 3, 4]:
            kind = _SIGN
        else:
            kind = _SPACE
        classes[code_point:stop] = kind
    classes[ord(" ")] = _SPACE
    return PagedTable(classes)


def _splitter(part):
    kind = part.get("type")
    if kind == "Metaspace":
        return _Metaspace(part)
    if kind == "ByteLevel":
        return _ByteLevel(part)
    behavior = part.get("behavior", "Isolated")
    if kind in _BY_CLASS and behavior in _BEHAVIORS:
        return _ByClass(part)
    raise ValueError(
        f"tokenizer.json has the pre-tokenizer {kind!r}"
        f"{f' with behavior={behavior!r}' if kind in _BY_CLASS else ''}, "
        "which no graph of TensorFlow carries out here. Supported: "
        f"{', '.join(sorted((*_BY_CLASS, 'ByteLevel', 'Metaspace')))}. Train "
        "or choose a model whose tokenizer has one of these."
    )


def _pre_tokenizer(description):
    """A function that splits a string as a description says."""
    described = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, "a"))
    described = json.loads(described.to_str())
    described["pre_tokenizer"] = description
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(described))
    return tokenizer.pre_tokenizer.pre_tokenize_str


def _flat(description):
    if description is None:
        return []
    if description.get("type") == "Sequence":
        return [x for part in description["pretokenizers"] for x in _flat(part)]
    return [description]
