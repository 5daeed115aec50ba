"""An encoder that is quick and easy to calculate with."""

import numpy as np
import pytest

WORDS = ("good", "bad", "film", "plot", "dog", "cat")


class WordCounts:
    """Embeds a text as its counts of a few words, at length 1."""

    fingerprint = "word counts"

    def __init__(self):
        self.encoded = 0

    def encode(self, examples):
        self.encoded += len(examples)
        counts = np.array(
            [
                # A little of everything: no text has length 0.
                [
                    0.01 + sum(text.split().count(word) for text in texts)
                    for word in WORDS
                ]
                for texts in zip(*examples.texts, strict=True)
            ],
            "float32",
        )
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.fixture
def encoder():
    return WordCounts()


@pytest.fixture
def make_texts():
    """Random texts over the words; the same for the same seed."""

    def make(count, seed, most=6):
        random = np.random.RandomState(seed)
        return [
            " ".join(random.choice(WORDS, random.randint(1, most + 1)))
            for _ in range(count)
        ]

    return make
