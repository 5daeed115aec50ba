"""A normalizer of `tokenizers`, carried out in a TensorFlow graph."""

import functools
import json
import re
import unicodedata

import numpy as np
import tokenizers

from keras_distill.packing.code_points import CODE_POINTS
from keras_distill.packing.code_points import CodePointMap
from keras_distill.packing.code_points import PagedTable
from keras_distill.packing.code_points import code_point_ranges
from keras_distill.packing.code_points import combining_classes

# White space in Unicode, for RE2, whose `\s` knows ASCII only.
SPACES = (
    r"[\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}"
    r"\x{202F}\x{205F}\x{3000}]"
)

# The first combining mark of Unicode.
_FIRST_MARK = 0x300

# They treat each code point alone.
_TABLES = ("BertNormalizer", "Lowercase", "StripAccents", "Nmt", "NFD", "NFKD")
_OTHERS = ("NFC", "NFKC", "Precompiled", "Prepend", "Replace", "Strip")
# The regular expression that converters of SentencePiece models write.
_SPACE_RUNS = " {2,}"


class Normalization:
    """What happens to a text before it is split into words.

    Args:
        description: dict of a normalizer, as in `tokenizer.json`, or `None`.

    Raises:
        ValueError: If a graph cannot do what the normalizer does.
    """

    def __init__(self, description):
        self.steps = []
        for part in _flat(description):
            self._add(part)

    @property
    def is_empty(self):
        return not self.steps

    def _add(self, part):
        kind = part.get("type")
        if kind in _TABLES:
            last = self.steps[-1] if self.steps else None
            if isinstance(last, _Table):
                last.parts.append(part)
            else:
                self.steps.append(_Table([part]))
        elif kind == "NFC":
            self.steps.append(_form("NFC"))
        elif kind == "NFKC":
            # By its definition, with the tables of `tokenizers`.
            self._add({"type": "NFKD"})
            self.steps.append(_form("NFC"))
        elif kind == "Precompiled":
            self.steps.append(_Precompiled(part))
        elif kind == "Strip":
            self.steps.append(_strip(part))
        elif kind == "Prepend":
            self.steps.append(_prepend(part["prepend"]))
        elif kind == "Replace":
            self.steps.append(_replace(part))
        else:
            raise ValueError(
                f"tokenizer.json has the normalizer {kind!r}, which no graph "
                "of TensorFlow carries out here. Supported: "
                f"{', '.join(sorted((*_TABLES, *_OTHERS)))}. Train or choose a "
                "model whose tokenizer has one of these."
            )

    def __call__(self, texts):
        """Normalizes a string tensor `(n,)`.

        Returns:
            Two tensors `(m,)`: code points, and the text of each.
        """
        import tensorflow as tf

        state = texts
        for step in self.steps:
            if isinstance(step, (_Table, _Precompiled)):
                if isinstance(state, tf.Tensor):
                    state = decode(state)
                state = step(*state, tf.size(texts, tf.int64))
            else:
                if not isinstance(state, tf.Tensor):
                    state = encode(*state, tf.size(texts, tf.int64))
                state = step(state)
        return decode(state) if isinstance(state, tf.Tensor) else state


def decode(texts):
    """The code points of strings, and the string of each."""
    import tensorflow as tf

    # What is no UTF-8 becomes the replacement character.
    characters = tf.strings.unicode_decode(texts, "UTF-8")
    return characters.values, characters.value_rowids()


def encode(code_points, rows, num_rows):
    """The strings of code points that stand in rows."""
    import tensorflow as tf

    return tf.strings.unicode_encode(
        tf.RaggedTensor.from_value_rowids(
            code_points, rows, nrows=num_rows, validate=False
        ),
        "UTF-8",
    )


class _Table:
    """Normalizers that treat each code point alone, as one table."""

    def __init__(self, parts):
        self.parts = parts

    @functools.cached_property
    def _decomposes(self):
        return any(_decomposes(part) for part in self.parts)

    def __call__(self, code_points, rows, num_rows):
        table = _table(json.dumps(self.parts))
        code_points, rows = table(code_points, rows)
        if self._decomposes:
            return _in_canonical_order(code_points, rows, num_rows)
        return code_points, rows


def _decomposes(part):
    if part["type"] != "BertNormalizer":
        return part["type"] in ("NFD", "NFKD")
    strip_accents = part.get("strip_accents")
    return part["lowercase"] if strip_accents is None else strip_accents


@functools.lru_cache(maxsize=8)
def _table(parts):
    """The table of normalizers, given as JSON; it takes half a second."""
    return CodePointMap(
        make_normalizer({"type": "Sequence", "normalizers": json.loads(parts)})
    )


@functools.lru_cache(maxsize=1)
def _combining_classes():
    return combining_classes()


def _in_canonical_order(code_points, rows, num_rows):
    """Brings combining marks that a table decomposed into Unicode's order."""
    import tensorflow as tf
    import tensorflow_text as tf_text

    # Most texts have two such marks in a row nowhere.
    is_beside = tf.where(
        (code_points[:-1] >= _FIRST_MARK) & (code_points[1:] >= _FIRST_MARK)
    )[:, 0]
    first = _combining_classes()(tf.gather(code_points, is_beside))
    second = _combining_classes()(tf.gather(code_points, is_beside + 1))
    is_wrong = (
        (first > second)
        & (second > 0)
        & (tf.gather(rows, is_beside) == tf.gather(rows, is_beside + 1))
    )

    def reorder():
        texts = encode(code_points, rows, num_rows)
        return decode(tf_text.normalize_utf8(texts, "NFD"))

    code_points, rows = tf.cond(
        tf.reduce_any(is_wrong), reorder, lambda: (code_points, rows)
    )
    return tf.ensure_shape(code_points, [None]), tf.ensure_shape(rows, [None])


def make_normalizer(description):
    """A function of a string that does what a description says."""
    if description is None:
        return lambda text: text
    # The package reads normalizers as parts of tokenizers only.
    tokenizer = tokenizers.Tokenizer.from_str(
        json.dumps(
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "added_tokens": [],
                "normalizer": description,
                "pre_tokenizer": None,
                "post_processor": None,
                "decoder": None,
                "model": {
                    "type": "WordLevel",
                    "vocab": {"a": 0},
                    "unk_token": "a",
                },
            }
        )
    )
    return tokenizer.normalizer.normalize_str


def _form(form):
    def normalize(texts):
        import tensorflow_text as tf_text

        return tf_text.normalize_utf8(texts, form)

    return normalize


def _strip(part):
    ends = [rf"^{SPACES}+"] * part["strip_left"]
    ends += [rf"{SPACES}+$"] * part["strip_right"]

    def strip(texts):
        import tensorflow as tf

        for end in ends:
            texts = tf.strings.regex_replace(texts, end, "")
        return texts

    return strip


def _prepend(prefix):
    def prepend(texts):
        import tensorflow as tf

        return tf.where(texts == "", texts, tf.strings.join([prefix, texts]))

    return prepend


def _replace(part):
    pattern, content = part["pattern"], part["content"]
    if "String" in pattern:
        expression = escape(pattern["String"])
    elif pattern.get("Regex") == _SPACE_RUNS:
        expression = _SPACE_RUNS
    else:
        raise ValueError(
            "tokenizer.json replaces by the regular expression "
            f"{pattern.get('Regex')!r}, which TensorFlow may read "
            f"differently. Supported are {_SPACE_RUNS!r} and plain strings."
        )
    rewrite = content.replace("\\", r"\\")

    def replace(texts):
        import tensorflow as tf

        return tf.strings.regex_replace(texts, expression, rewrite)

    return replace


def escape(text):
    """A text as a regular expression of RE2."""
    return re.sub(r"([^\w\s]|_)", r"\\\1", text, flags=re.ASCII)


def _flat(description):
    if description is None:
        return []
    if description.get("type") == "Sequence":
        return [x for part in description["normalizers"] for x in _flat(part)]
    return [description]


class _Precompiled:
    """The character map of a SentencePiece model, as `tokenizers` applies it.

    A cluster of characters (a letter and its marks) of less than six bytes
    is looked up first, and the first entry that it begins with replaces all
    of it; otherwise each of its characters is.
    """

    _LONGEST = 6

    def __init__(self, part):
        self._part = json.dumps(part)

    def __call__(self, code_points, rows, num_rows):
        import tensorflow as tf

        table, extends, is_entry, pairs, composed = _character_map(self._part)
        follows = tf.concat([[False], rows[1:] == rows[:-1]], 0)
        before = tf.concat([[0], code_points[:-1]], 0)
        joins = follows & (
            (extends(code_points) > 0) | ((before == 13) & (code_points == 10))
        )

        def look_up_clusters():
            # Clusters are few: only their places are gone through.
            starts = tf.where(~joins[:-1] & joins[1:])[:, 0]
            members = tf.where(joins)[:, 0]
            number = tf.searchsorted(starts, members, side="right") - 1
            first = tf.gather(code_points, starts)
            second = tf.gather(code_points, starts + 1)
            size = _num_bytes(first) + tf.math.segment_sum(
                _num_bytes(tf.gather(code_points, members)), number
            )
            is_short = size < self._LONGEST
            starts_entry = is_short & (is_entry(first) > 0)
            key = _pair_key(tf.cast(first, "int64"), tf.cast(second, "int64"))
            place = tf.searchsorted(pairs, key)
            place = tf.minimum(place, len(pairs) - 1)
            is_pair = (
                is_short & ~starts_entry & (tf.gather(pairs, place) == key)
            )
            after = tf.tensor_scatter_nd_update(
                code_points,
                starts[:, None],
                tf.where(is_pair, tf.gather(composed, place), first),
            )
            kept = tf.tensor_scatter_nd_update(
                tf.ones_like(joins),
                members[:, None],
                ~tf.gather(starts_entry | is_pair, number),
            )
            kept = tf.where(kept)[:, 0]
            return tf.gather(after, kept), tf.gather(rows, kept)

        code_points, rows = tf.cond(
            tf.reduce_any(joins), look_up_clusters, lambda: (code_points, rows)
        )
        return table(
            tf.ensure_shape(code_points, [None]), tf.ensure_shape(rows, [None])
        )


def _pair_key(first, second):
    return first * CODE_POINTS + second


def _num_bytes(code_points):
    """How many bytes each code point takes in UTF-8."""
    import tensorflow as tf

    return 1 + sum(
        tf.cast(code_points >= limit, "int32")
        for limit in (0x80, 0x800, 0x10000)
    )


@functools.lru_cache(maxsize=4)
def _character_map(part):
    """The tables of a SentencePiece model's character map."""
    normalize = make_normalizer(json.loads(part))
    is_entry = np.zeros(CODE_POINTS, "int32")
    extends = np.zeros(CODE_POINTS, "int32")
    pairs = {}
    for code_point, stop in code_point_ranges():
        character = chr(code_point)
        is_entry[code_point:stop] = normalize(character) != character
        extends[code_point:stop] = _is_mark(character)
        # Any pair of the map is the start of a canonical decomposition.
        decomposed = unicodedata.normalize("NFD", character)[:2]
        if len(decomposed) == 2:
            composed = normalize(decomposed)
            if composed != decomposed and len(composed) == 1:
                first, second = map(ord, decomposed)
                pairs[_pair_key(first, second)] = ord(composed)
    keys = sorted(pairs) or [-1]
    return (
        CodePointMap(normalize),
        PagedTable(extends),
        PagedTable(is_entry),
        np.array(keys, "int64"),
        np.array([pairs.get(key, 0) for key in keys], "int32"),
    )


def _is_mark(character):
    """Whether a character joins the cluster of the one before it."""
    # The joiner and what selects a variant are of the category Cf and Mn.
    return character == "\u200d" or unicodedata.category(character)[0] == "M"
