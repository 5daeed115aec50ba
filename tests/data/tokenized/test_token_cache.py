"""Tokens and arrays on disk: made once, and only for the same input."""

import threading
import time

import keras_hub
import numpy as np
import pytest

from keras_distill.data.tokenized import token_cache
from keras_distill.data.tokenized.token_cache import ArrayCache
from keras_distill.packing import Packer
from keras_distill.tasks import Examples
from keras_distill.tasks import TokenizedExamples

# Those of the tokenizer of all tests.
WORDS = (
    "a the film movie plot actor is was not very good bad great dull funny sad "
    "story ending and but with it"
).split()
TEXTS = (["a good film", "", "zzz"], ["great", "the plot was dull", "it"])


@pytest.fixture
def calls(monkeypatch):
    """Grows by the texts of each call of the tokenizer."""
    calls = []
    real = Packer.pack

    def counted(packer, texts, *others):
        calls.append(texts)
        return real(packer, texts, *others)

    monkeypatch.setattr(Packer, "pack", counted)
    return calls


@pytest.fixture
def make(tokenizer, tmp_path):
    """Tokenises with the cache of the test."""

    def make(texts=TEXTS, tokenizer=tokenizer, length=8, **arguments):
        return TokenizedExamples(
            Examples(texts),
            tokenizer,
            length,
            cache_dir=tmp_path / "tokens",
            **arguments,
        )

    return make


def first_batch(tokenized):
    (x,) = next(tokenized.iterate(4))
    return x


@pytest.mark.parametrize("texts", [TEXTS, TEXTS[:1], ([],)])
def test_the_second_time_reads_what_the_first_wrote(
    make, calls, tokenizer, texts
):
    first, second = make(texts), make(texts)
    assert len(calls) == 1
    assert len(first) == len(second) == len(texts[0])
    without = TokenizedExamples(Examples(texts), tokenizer, 8)
    assert len(calls) == 2
    if not texts[0]:
        return
    expected = first_batch(without)
    for tokenized in (first, second):
        for name, values in first_batch(tokenized).items():
            assert values.dtype == expected[name].dtype
            np.testing.assert_array_equal(values, expected[name])


def test_labels_and_ids_are_not_kept(make, tokenizer, tmp_path, calls):
    make()
    other = TokenizedExamples(
        Examples(TEXTS, labels=[1, 0, 1], ids=[5, 6, 7]),
        tokenizer,
        8,
        cache_dir=tmp_path / "tokens",
    )
    assert len(calls) == 1
    assert other.labels.tolist() == [1, 0, 1]
    assert other.ids.tolist() == [5, 6, 7]


def with_vocabulary(*words, **options):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return keras_hub.models.BertTokenizer([*special, *words], **options)


def packed_with(roberta=False, **options):
    """A preprocessor of the same vocabulary that packs in another way."""
    name = "Roberta" if roberta else "Bert"
    preprocessor = getattr(
        keras_hub.models, f"{name}TextClassifierPreprocessor"
    )
    return preprocessor(with_vocabulary(*WORDS, lowercase=True), **options)


@pytest.mark.parametrize(
    "change",
    [
        {"texts": (["a good film", "", "zz"], TEXTS[1])},
        {"texts": TEXTS[:1]},
        {"texts": TEXTS[::-1]},
        # The same characters, divided in another way.
        {"texts": (["a good film", "z", "zz"], TEXTS[1])},
        {"length": 9},
        {"tokenizer": packed_with(truncate="waterfall")},
        {"tokenizer": packed_with(roberta=True)},
        {"tokenizer": with_vocabulary("a", "good")},
        {"tokenizer": with_vocabulary("good", "a")},
        {"tokenizer": with_vocabulary("a", "good", lowercase=True)},
    ],
)
def test_other_input_is_tokenised(make, calls, change):
    make()
    make(**change)
    assert len(calls) == 2
    make()
    make(**change)
    assert len(calls) == 2


def test_where_a_text_ends_counts():
    assert token_cache.texts_fingerprint(
        (["ab", "c"],)
    ) != token_cache.texts_fingerprint((["a", "bc"],))
    assert token_cache.texts_fingerprint(
        (["a", "b"],)
    ) != token_cache.texts_fingerprint((["a"], ["b"]))


def test_other_software_tokenises_again(make, calls, monkeypatch):
    make()
    monkeypatch.setattr(keras_hub, "__version__", "another")
    make()
    assert len(calls) == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_made_anew(make, calls, tmp_path, capsys, damage):
    expected = first_batch(make())
    (path,) = (tmp_path / "tokens").iterdir()
    whole = path.read_bytes()
    changed = whole[:-1] + bytes([whole[-1] ^ 1])
    path.write_bytes(
        {"cut": whole[:-9], "changed": changed, "empty": b""}[damage]
    )
    again = make()
    assert len(calls) == 2
    assert capsys.readouterr().err.count("is damaged") == 1
    for name, values in first_batch(again).items():
        np.testing.assert_array_equal(values, expected[name])
    make()
    assert len(calls) == 2


def test_progress_of_what_is_tokenised(make):
    seen = []
    for _ in range(2):
        make(progress=lambda *now: seen.append(now))
    assert seen == [(3, 3)]


def test_a_tokenizer_without_vocabulary_is_refused(make):
    class Nameless:
        start_token_id, end_token_id, pad_token_id = 1, 2, 0

    with pytest.raises(ValueError, match="`cache_dir` needs a tokenizer"):
        make(tokenizer=Nameless())


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
