"""The splits of a task, read when they are asked for."""

from collections.abc import Mapping


class MissingSplitError(KeyError, ValueError):
    """A split that the source does not have.

    It is a `KeyError` so that `Splits.get` works as for any mapping, and a
    `ValueError` as all bad input is here.
    """

    def __str__(self):
        # KeyError shows its message in quotes, which is no sentence.
        return self.args[0]


class Splits(Mapping):
    """Maps the name of a split to its `Examples`.

    A split is read on first access and kept, so a file that nobody asks for
    is never opened.

    Args:
        readers: dict of split name to a function without arguments that
            returns `Examples`.
        source: string. Where the splits come from and what is there, for
            the message about a split that is not.

    Example:

    >>> from keras_distill.tasks import Examples
    >>> from keras_distill.tasks import Splits
    >>> splits = Splits({"dev": lambda: Examples((["good"],), [1])}, "a list")
    >>> list(splits), len(splits["dev"])
    (['dev'], 1)
    """

    def __init__(self, readers, source):
        self._readers = dict(readers)
        self._source = source
        self._read = {}

    def __getitem__(self, name):
        if name not in self._readers:
            known = ", ".join(self._readers)
            raise MissingSplitError(
                f"There is no split {name!r} in {self._source}; "
                f"the splits are: {known}."
            )
        if name not in self._read:
            self._read[name] = self._readers[name]()
        return self._read[name]

    def __contains__(self, name):
        # Mapping's own test would read the whole split.
        return name in self._readers

    def __iter__(self):
        return iter(self._readers)

    def __len__(self):
        return len(self._readers)

    def __repr__(self):
        return f"<Splits {', '.join(self._readers)} of {self._source}>"
