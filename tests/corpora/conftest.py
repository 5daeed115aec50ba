"""The random state of tests that build hardly a model, and a tiny corpus."""

import keras
import keras_hub
import pytest

WORDS = [f"w{number}" for number in range(40)]


@pytest.fixture(autouse=True)
def seed():
    """The common random state, without clearing Keras's session after.

    Hardly a test here builds a model, and clearing takes longer than most.
    """
    keras.utils.set_random_seed(7)


@pytest.fixture(scope="session")
def word_tokenizer():
    """A tokenizer that has a piece for each of `WORDS` and the full stop."""
    return keras_hub.models.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *WORDS]
    )


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory):
    """Two files of documents; the words of each are its own, in order."""
    folder = tmp_path_factory.mktemp("corpus")
    for file in range(2):
        documents = []
        for part in range(20):
            words = WORDS[file * 20 + part] + " "
            lines = [(words * (1 + n % 5)).strip() + "." for n in range(part)]
            documents.append("\n".join([*lines, words * 9]))
        (folder / f"{file}.txt").write_text("\n\n".join(documents))
    return folder
