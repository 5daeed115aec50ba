"""The articles of Wikipedia out of TensorFlow Datasets."""

import os

from keras_distill.data.readers.sentences import split_into_sentences

_NAME = "wikipedia"


def is_name(path):
    """Whether a path means TensorFlow Datasets' Wikipedia."""
    return (
        isinstance(path, str)
        and path.partition("/")[0] == _NAME
        and not os.path.exists(path)
    )


class Wikipedia:
    """The articles of one language, downloaded unless they already are.

    Args:
        name: str, `"wikipedia"` or with a configuration, such as
            `"wikipedia/20230601.de"`.
        data_dir: Optional path. Where TensorFlow Datasets keeps its files.
    """

    unit = "articles"

    def __init__(self, name, data_dir=None):
        # Slow to import, and not needed by who reads files.
        import tensorflow_datasets as tfds

        try:
            self._builder = tfds.builder(name, data_dir=data_dir)
            self._builder.download_and_prepare()
        except (
            OSError,
            ValueError,
            tfds.core.DatasetNotFoundError,
            tfds.download.DownloadError,
        ) as error:
            raise ValueError(
                f"TensorFlow Datasets could not prepare {name!r} "
                f"({type(error).__name__}: {error}). Check its name, the "
                "network and the disk; or give a file or folder of text."
            ) from error
        self.total = self._builder.info.splits["train"].num_examples
        self.done = 0

    def identity(self, hash_of):
        """Tells these articles from others: name, configuration, version."""
        del hash_of
        return [self._builder.info.full_name]

    def documents(self):
        """Yields the sentences of each article."""
        articles = self._builder.as_dataset(split="train")
        for article in articles.as_numpy_iterator():
            self.done += 1
            sentences = [
                sentence
                for line in article["text"].decode("utf-8").splitlines()
                for sentence in split_into_sentences(line)
            ]
            if sentences:
                yield sentences
