"""Texts and pairs with words replaced by likely ones."""

import concurrent.futures

import numpy as np
import pytest

from keras_distill.corpora import augmentation
from keras_distill.corpora.augmentation import chunks

TEXT = "Meyrick sings, and the actor was not great in 3 movies!"


@pytest.fixture
def make(masked_words, neighbors):
    def make(**options):
        options = {"masked_lm": masked_words, "neighbors": neighbors, **options}
        return augmentation.Augmenter(**options)

    return make


def test_nothing_is_replaced_with_probability_0(make):
    assert make(probability=0.0).variants([TEXT, ""]) == [[TEXT], [""]]


def test_every_word_is_replaced_with_probability_1(make, masked_lm):
    augmenter = make(
        masked_lm=augmentation.MaskedLMWords(masked_lm, num_words=1),
        num_neighbors=1,
        probability=1.0,
    )

    [[original, variant]] = augmenter.variants([TEXT])
    assert original == TEXT
    before, after = original.split(), variant.split()
    changed = [a for a, b in zip(before, after, strict=True) if a != b]
    # Stop words, digits and signs stay, and "movies" is replaced although its
    # one piece is that of unknown words.
    assert changed == ["Meyrick", "sings,", "actor", "great", "movies!"]
    assert after[1].endswith(",") and after[-1].endswith("!")
    # Of several pieces: a neighbour, with the capital of the word.
    assert after[0] == "Actor"


def test_variants_are_so_many_at_most_the_text_first_and_none_twice(make):
    for text, variants in zip(
        ["dull film", TEXT],
        make(num_samples=30).variants(["dull film", TEXT]),
        strict=True,
    ):
        assert variants[0] == text
        assert 1 < len(variants) <= 31
        assert len(set(variants)) == len(variants)


def test_a_share_of_words_is_replaced(neighbors):
    augmenter = augmentation.Augmenter(neighbors=neighbors, num_samples=200)
    [[_, *variants]] = augmenter.variants([" ".join(["film"] * 200)])

    shares = [np.mean(np.array(v.split()) != "film") for v in variants]
    assert np.mean(shares) == pytest.approx(0.4, abs=0.01)


def test_draws_follow_from_the_seed_and_the_row_alone(make):
    whole = make(seed=3).variants([TEXT] * 3)

    assert make(seed=3).variants([TEXT], first_row=2) == whole[2:]
    assert whole[0] != whole[1]
    assert make(seed=4).variants([TEXT]) != whole[:1]


def test_one_source_is_enough(make, neighbors):
    [[_, *variants]] = make(neighbors=None, probability=1.0).variants([TEXT])
    assert all(variant.startswith("Meyrick") for variant in variants)
    [[_, *variants]] = make(masked_lm=None, probability=1.0).variants([TEXT])
    assert all("sings" in variant for variant in variants)
    assert not any("Meyrick" in variant for variant in variants)
    with pytest.raises(ValueError, match="`masked_lm`, `neighbors` or both"):
        make(masked_lm=None, neighbors=None)


def test_one_text_of_a_pair_changes_at_a_time(make):
    columns = (["dull film", "a plot"], ["great movie", "the actor sings"])
    rows = make(num_samples=5).rows(columns, first_row=7)

    for row, texts in enumerate(zip(*columns, strict=True), start=7):
        pairs = [pair for number, pair in rows if number == row]
        assert pairs[0] == texts
        assert len(set(pairs)) == len(pairs) <= 11
        assert all(texts[0] == a or texts[1] == b for a, b in pairs)
        assert {a for a, _ in pairs} != {texts[0]} != {b for _, b in pairs}


def test_the_scripts_pairs_texts_and_repeated_rows(make):
    augmenter = make(num_samples=3, probability=1.0, procedure="official")
    rows = augmenter.rows((["Dull film!"], ["A great movie"]))

    assert {row for row, _ in rows} == {0}
    pairs = [pair for _, pair in rows]
    first = [a for a, b in pairs if b == "A great movie"]
    last = first[-1]
    # Those of the second text stand beside the first one's last, itself too.
    assert pairs[: len(first) - 1] == [(a, "A great movie") for a in first[:-1]]
    assert all(a == last for a, _ in pairs[len(first) - 1 :])
    assert pairs.count((last, "A great movie")) == 2
    # Words with a space between two, in small letters.
    assert all(a.islower() and a.endswith(" !") for a in first[1:])


def test_any_number_of_processes_gives_the_same_rows(make, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 2)
    columns = ([TEXT, "dull film", "", "great plot", "a movie"],)
    augmenter = make()

    def augment(**options):
        return list(
            augmentation.augmented_chunks(lambda: augmenter, columns, **options)
        )

    alone = augment()
    assert [count for count, _ in alone] == [2, 2, 1]
    assert alone == [
        (count, augmenter.rows((columns[0][start : start + 2],), start))
        for count, start in ((2, 0), (2, 2), (1, 4))
    ]
    executor = concurrent.futures.ThreadPoolExecutor(1)
    assert augment(processes=2, executor=executor) == alone
    assert augment(first_chunk=2) == alone[2:]


@pytest.mark.slow
def test_processes_of_their_own_give_the_same_rows(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 2)
    columns = (["a film", "the movie", "film and movie"],)
    alone, several = (
        list(augmentation.augmented_chunks(_augmenter, columns, processes))
        for processes in (1, 2)
    )

    assert several == alone


def _augmenter():
    neighbors = augmentation.WordNeighbors(
        ["film", "movie"], np.array([[1, 0], [1, 0.1]])
    )
    return augmentation.Augmenter(neighbors=neighbors)
