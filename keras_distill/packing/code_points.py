"""What happens to every Unicode code point, as tables that graphs look up.

A normalizer that treats each code point alone, whatever stands around it, is
a table. The tables are asked of the package `tokenizers` itself, so that its
Unicode version is theirs.
"""

import unicodedata

import numpy as np

CODE_POINTS = 0x110000
_PAGE = 256
# Lets a lookup tell a change of the code point from the number of an
# expansion.
_EXPANDED = CODE_POINTS * 2

# Where every assigned code point lies. Beyond, one stands for its range:
# planes without characters, private use, and what is no character.
_ASSIGNED = (range(0xD800), range(0xE000, 0x40000), range(0xE0000, 0xE1000))
_UNIFORM = (
    (0x40000, 0xE0000),
    (0xE1000, 0xF0000),
    (0xF0000, 0xFFFFE),
    (0xFFFFE, 0x100000),
    (0x100000, 0x10FFFE),
    (0x10FFFE, 0x110000),
)


class PagedTable:
    """A number for every code point.

    Pages that are equal are kept once, so that the table of a million code
    points fits into a graph.

    Args:
        values: int array of one value for each code point.
    """

    def __init__(self, values):
        pages, places = np.unique(
            np.asarray(values, "int32").reshape(-1, _PAGE),
            axis=0,
            return_inverse=True,
        )
        self.values = pages.reshape(-1)
        self.pages = (places.reshape(-1) * _PAGE).astype("int32")

    def __call__(self, code_points):
        """The values of an int32 tensor of code points, of the same shape."""
        import tensorflow as tf

        page = tf.gather(self.pages, tf.bitwise.right_shift(code_points, 8))
        return tf.gather(
            self.values, page + tf.bitwise.bitwise_and(code_points, _PAGE - 1)
        )


class CodePointMap:
    """Replaces each code point by none, one or several.

    Args:
        replace: function of a character that gives the string in its place.
    """

    def __init__(self, replace):
        changes = np.zeros(CODE_POINTS, "int32")
        numbers = {}
        for code_point, stop in code_point_ranges():
            after = replace(chr(code_point))
            if after == chr(code_point):
                continue
            if len(after) == 1:
                change = ord(after) - code_point
            else:
                change = _EXPANDED + numbers.setdefault(after, len(numbers))
            changes[code_point:stop] = change
        self._changes = PagedTable(changes)
        self._lengths = np.array([len(text) for text in numbers], "int32")
        self._starts = np.cumsum(self._lengths, dtype="int32") - self._lengths
        # The zero at the end is there for tables that only remove.
        self._values = np.array(
            [*(ord(x) for x in "".join(numbers)), 0], "int32"
        )

    def __call__(self, code_points, rows):
        """Maps code points that stand in rows, one after the other.

        Args:
            code_points: int32 tensor `(n,)`.
            rows: int64 tensor `(n,)`, each one's row.

        Returns:
            Two tensors `(m,)`: the code points after it, and their rows.
        """
        import tensorflow as tf

        changes = self._changes(code_points)
        mapped = code_points + changes
        if not len(self._lengths):
            return mapped, rows
        is_expanded = changes >= _EXPANDED

        def change():
            number = tf.where(is_expanded, changes - _EXPANDED, 0)
            counts = tf.where(is_expanded, tf.gather(self._lengths, number), 1)
            kept = tf.where(counts > 0)[:, 0]

            def expand():
                starts = tf.cumsum(counts, exclusive=True)
                total = starts[-1] + counts[-1]
                begins = tf.scatter_nd(
                    tf.gather(starts, kept)[:, None],
                    tf.ones_like(kept, "int32"),
                    [total],
                )
                owner = tf.gather(kept, tf.cumsum(begins) - 1)
                place = tf.range(total) - tf.gather(starts, owner)
                is_expansion = tf.gather(is_expanded, owner)
                first = tf.gather(self._starts, tf.gather(number, owner))
                expansion = tf.gather(
                    self._values, tf.where(is_expansion, first + place, 0)
                )
                single = tf.gather(mapped, owner)
                return tf.where(is_expansion, expansion, single), owner

            after, owner = tf.cond(
                tf.reduce_max(counts) > 1,
                expand,
                lambda: (tf.gather(mapped, kept), kept),
            )
            return after, tf.gather(rows, owner)

        # Most texts have nothing to remove or to decompose.
        after, rows = tf.cond(
            tf.reduce_any(is_expanded), change, lambda: (mapped, rows)
        )
        return tf.ensure_shape(after, [None]), tf.ensure_shape(rows, [None])


def combining_classes():
    """The table of canonical combining classes."""
    values = np.zeros(CODE_POINTS, "int32")
    for code_point in range(0x300, 0x20000):
        values[code_point] = unicodedata.combining(chr(code_point))
    return PagedTable(values)


def code_point_ranges():
    """Yields each code point to ask about, and where those like it end."""
    for assigned in _ASSIGNED:
        for code_point in assigned:
            yield code_point, code_point + 1
    yield from _UNIFORM
