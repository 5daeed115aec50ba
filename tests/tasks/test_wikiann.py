"""What TensorFlow Datasets' own WikiAnn builder yields, without its download.

The builder reads made-up files in place of those that it would fetch.
"""

import tempfile

import pytest
import tensorflow_datasets as tfds

from keras_distill import tasks
from keras_distill.tasks import wikiann

pytestmark = pytest.mark.tensorflow("reading rows is the same on each backend")

SENTENCES = {
    "en": "en:Anna\tB-PER\nen:sings\tO\n\nen:10:30\tO\nen:Oslo\tB-LOC\n",
    "zh-yue": "zh-yue:香\tB-LOC\nzh-yue:港\tI-LOC\n\nzh-yue:IBM\tB-ORG\n",
}
LABELS = {
    ("Anna", "sings"): [1, 0],
    ("10:30", "Oslo"): [0, 5],
    ("香", "港"): [5, 6],
    ("IBM",): [3],
}


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path, monkeypatch):
    """TFDS leaves an empty temporary folder per builder behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads languages from TFDS, whose archives are folders in `tmp_path`."""
    for language, text in SENTENCES.items():
        folder = tmp_path / "panx" / language
        folder.mkdir(parents=True)
        for split in ("train", "dev", "test"):
            (folder / split).write_text(text)

    def download_and_extract(self, url):
        return str(tmp_path / "panx")

    def extract(self, path):
        return path.removesuffix(".tar.gz")

    manager = tfds.download.DownloadManager
    monkeypatch.setattr(manager, "download_and_extract", download_and_extract)
    monkeypatch.setattr(manager, "extract", extract)

    def load_languages(languages, **arguments):
        return tasks.load_wikiann(
            languages, str(tmp_path / "tfds"), **arguments
        )

    return load_languages


def test_words_tags_and_languages(load):
    task, splits = load(["zh-yue", "en"], sequence_length=32)
    assert task.label_names == tasks.WIKIANN_TAGS
    assert task.sequence_length == 32
    assert list(splits) == ["train", "dev", "test"]
    for split in splits:
        examples = splits[split]
        assert examples.languages.tolist() == ["zh-yue"] * 2 + ["en"] * 2
        assert examples.ids.tolist() == [0, 1, 2, 3]
        found = {
            tuple(words): labels.tolist()
            for words, labels in zip(
                examples.words, examples.labels, strict=True
            )
        }
        assert found == LABELS
        assert {type(word) for row in examples.words for word in row} == {str}


@pytest.mark.parametrize("languages", ["en", [], ["en", "en"]])
def test_bad_lists_of_languages(languages):
    with pytest.raises(ValueError, match="`languages` must be a list"):
        tasks.load_wikiann(languages)


def test_languages_that_wikiann_does_not_have(load):
    _, splits = load(["tlh"])
    with pytest.raises(ValueError, match="Received: 'tlh'"):
        splits["dev"]


def test_other_order_of_tags_is_refused(load, monkeypatch):
    monkeypatch.setattr(wikiann, "WIKIANN_TAGS", tasks.WIKIANN_TAGS[::-1])
    _, splits = load(["en"])
    with pytest.raises(ValueError, match="wikiann/en has the tags .'O', 'B-P"):
        splits["train"]


def test_without_network(tmp_path, monkeypatch):
    def fail(self, url):
        raise ConnectionError("no route to host")

    manager = tfds.download.DownloadManager
    monkeypatch.setattr(manager, "download_and_extract", fail)
    _, splits = tasks.load_wikiann(["en"], str(tmp_path))
    with pytest.raises(ValueError) as error:
        splits["dev"]
    assert "could not prepare wikiann/en" in str(error.value)
    assert "no route to host" in str(error.value)
    assert "`load_iob`" in str(error.value)
