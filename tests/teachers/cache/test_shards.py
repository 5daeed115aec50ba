"""What was used last is kept, up to so many bytes."""

import dataclasses

from keras_distill.teachers.cache.shards import ByteLru


@dataclasses.dataclass
class Value:
    nbytes: int


def loaded(lru, requests):
    """The keys that had to be loaded, of `(key, bytes)` asked one by one."""
    loads = []

    def load(key, nbytes):
        loads.append(key)
        return Value(nbytes)

    for key, nbytes in requests:
        value = lru.get(key, lambda key=key, n=nbytes: load(key, n))
        assert value.nbytes == nbytes
    return "".join(loads)


def test_the_least_recently_used_goes_first():
    requests = [("a", 4), ("b", 4), ("a", 4), ("c", 4), ("a", 4), ("b", 4)]
    assert loaded(ByteLru(8), requests) == "abcb"


def test_one_value_that_is_too_large_is_still_given():
    assert loaded(ByteLru(8), [("a", 4), ("b", 9), ("b", 9), ("a", 4)]) == "aba"
