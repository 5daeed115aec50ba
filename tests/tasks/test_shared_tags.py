"""The real tagged sentences of many languages, where a machine has them."""

import numpy as np
import pytest

from keras_distill import tasks

reads = pytest.mark.tensorflow("reading rows is the same on each backend")

WIKIANN = ("de", "en", "es", "nl", "pl", "ru")
# Sentences of train, dev and test.
PANX = {"amh": 100, "ibo": 100, "kin": 100, "swa": 1_000, "yor": 100}
OTHERS = {"da": (4_383, 564, 565), "pt": (11_258, 2_412, 2_414)}


@reads
def test_wikiann_of_six_languages(shared_data):
    task, splits = tasks.load_iob(shared_data / "ner" / "wikiann")
    assert task.label_names == tasks.WIKIANN_TAGS
    dev = splits["dev"]
    assert len(dev) == 60_000
    names, counts = np.unique(dev.languages, return_counts=True)
    assert tuple(names) == WIKIANN
    assert set(counts) == {10_000}
    assert set(np.concatenate(dev.labels)) == set(range(7))


@reads
def test_panx_and_other_corpora_as_one_data_set(shared_data):
    ner = shared_data / "ner"
    folders = {language: ner / "panx" / language for language in PANX}
    folders |= {
        language: ner / "masakhane_transfer" / language for language in OTHERS
    }
    folders |= {
        language: ner / "wikiann" / language for language in WIKIANN[:3]
    }
    _, splits = tasks.load_iob(folders)
    train = splits["train"]
    names, counts = np.unique(train.languages, return_counts=True)
    expected = dict(PANX)
    expected |= {language: rows[0] for language, rows in OTHERS.items()}
    expected |= {language: 20_000 for language in WIKIANN[:3]}
    assert dict(zip(names, counts, strict=True)) == expected
    assert len(expected) >= 10


@reads
def test_transfer_languages_without_train(shared_data):
    _, splits = tasks.load_iob(
        shared_data / "ner" / "masakhane_transfer", ["da", "ko", "zh"]
    )
    assert set(splits["train"].languages) == {"da"}
    assert set(splits["dev"].languages) == {"da", "ko", "zh"}


def test_japanese_with_tags_of_its_own(shared_data, tokenizer):
    folder = shared_data / "ner" / "hironsan_ja"
    with pytest.raises(ValueError, match=r"train.tsv.gz:\d+: unknown tag"):
        tasks.load_iob(folder)[1]["train"]
    names = tasks.find_tags(folder)
    assert len(names) == 17
    _, splits = tasks.load_iob(folder, label_names=names)
    train = splits["train"]
    assert len(train) == 450
    # A word of nothing but an ideographic space keeps its label.
    tokenized = tasks.TokenizedTags(train, tokenizer, 256)
    assert tokenized.num_lost_words == 0
    _, y, _ = next(tokenized.iterate(450))
    for found, labels in zip(
        tokenized.to_words(np.arange(450), y), train.labels, strict=True
    ):
        np.testing.assert_array_equal(found, labels)
