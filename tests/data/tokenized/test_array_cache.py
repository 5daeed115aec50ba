"""Arrays on disk: computed once, and never taken from a damaged file."""

import threading
import time

import numpy as np
import pytest

from keras_distill.data.tokenized.array_cache import ArrayCache

ARRAYS = {
    "tokens": np.arange(50, dtype="int32"),
    "vectors": np.linspace(0, 1, 12).astype("float16").reshape(3, 4),
    "none": np.zeros((0, 2), "int64"),
}


class MakeArrays:
    """Makes the arrays and counts how often."""

    def __init__(self, seconds=0):
        self.seconds = seconds
        self.calls = 0

    def __call__(self):
        self.calls += 1
        time.sleep(self.seconds)
        return ARRAYS


def not_called():
    raise AssertionError("The arrays were there.")


def check(found):
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.fixture
def cache(tmp_path):
    return ArrayCache(tmp_path / "deep" / "cache")


@pytest.fixture
def path(cache, tmp_path):
    """The file of an entry."""
    cache.get("entry", lambda: ARRAYS)
    return tmp_path / "deep" / "cache" / "entry.safetensors"


def test_computed_once(cache, path):
    check(cache.get("entry", not_called))
    # Neither locks nor unfinished files stay behind.
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_written_before_it_is_needed(tmp_path):
    ArrayCache(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_entries_are_apart(cache, path):
    other = cache.get("other", lambda: {"x": np.ones(1)})
    assert set(other) == {"x"}
    check(cache.get("entry", not_called))


def test_damage_is_noticed(cache, path, capsys):
    """Cut or changed anywhere, a file is made anew or is what it was."""
    whole = path.read_bytes()
    random = np.random.RandomState(0)
    made_anew = 0
    for case in range(120):
        place = random.randint(len(whole))
        damaged = bytearray(whole)
        if case % 2:
            del damaged[place:]
        else:
            damaged[place] ^= 1 << random.randint(8)
        path.write_bytes(damaged)
        make = MakeArrays()
        check(cache.get("entry", make))
        said = capsys.readouterr().err
        assert said.count("\n") == make.calls
        if make.calls:
            made_anew += 1
            assert said.startswith(f"{path} is damaged (")
            assert said.endswith("and is made anew\n")
            check(cache.get("entry", not_called))
    # Some changes leave all that counts as it was.
    assert made_anew > 110


def test_the_file_of_another_entry_is_not_taken(cache, path, capsys):
    path.rename(path.with_name("other.safetensors"))
    found = cache.get("other", lambda: {"x": np.ones(1)})
    assert set(found) == {"x"}
    assert "it is another entry's" in capsys.readouterr().err


def test_a_failure_leaves_nothing_to_be_taken(cache, tmp_path):
    def fail():
        raise RuntimeError("no tokenizer")

    with pytest.raises(RuntimeError, match="no tokenizer"):
        cache.get("entry", fail)
    check(cache.get("entry", lambda: ARRAYS))


def test_whoever_comes_meanwhile_waits(cache):
    make = MakeArrays(seconds=0.2)
    found = []
    # Each opens the lock's file by itself, as processes do.
    threads = [
        threading.Thread(target=lambda: found.append(cache.get("entry", make)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make.calls == 1
    assert len(found) == 6
    for arrays in found:
        check(arrays)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="`cache_dir` must be a folder"):
        ArrayCache(tmp_path / "file")
