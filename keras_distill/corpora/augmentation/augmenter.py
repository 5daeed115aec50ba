"""More texts like some, with words replaced by likely ones."""

import numpy as np

from keras_distill.checks.arguments import SEED
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_float
from keras_distill.checks.arguments import check_int
from keras_distill.checks.arguments import check_number
from keras_distill.corpora.augmentation.stop_words import STOP_WORDS
from keras_distill.corpora.augmentation.words import Words
from keras_distill.corpora.augmentation.words import like_case

PAPER, OFFICIAL = PROCEDURES = ("paper", "official")


class Augmenter:
    """Makes more texts like some, with words replaced by likely ones.

    TinyBERT's data augmentation (Jiao et al. 2020, algorithm 1). A word of
    letters that is no stop word gets candidates once: of one piece those that
    a masked language model finds likeliest in its place, of several pieces
    its neighbours among word vectors. Then, for each of `num_samples`
    variants, every such word is replaced by a candidate, each as likely as
    the others, with the probability `probability`. All other characters stay
    as they are, and a replacement has a capital where the word had one.

    With one of the two sources alone it works as well: with word vectors
    alone all words have neighbours, with a masked language model alone words
    of several pieces stay.

    Draws follow from the seed and the number of the row, whatever is
    augmented before or beside it.

    Args:
        masked_lm: Optional `MaskedLMWords`.
        neighbors: Optional `WordNeighbors`.
        num_samples: int. The variants of a text, of which those are dropped
            that are there already. Defaults to `20`.
        probability: float. That a word is replaced. Defaults to `0.4`.
        num_neighbors: int. The candidates of a word of several pieces.
            Defaults to `15`.
        seed: int. Defaults to `0`.
        procedure: str. `"paper"`, or `"official"` for what else the released
            script does: variants are words with a space between two, in small
            letters where the tokenizer makes them, and of a pair the second
            text's variants stand beside the last variant of the first, with
            rows that are there twice. Defaults to `"paper"`.
        stop_words: set of str, in small letters, that are never replaced.
            Defaults to English ones, `STOP_WORDS`.

    Raises:
        ValueError: If there is neither source, or a number is none.

    Example:

    >>> import numpy as np
    >>> from keras_distill.corpora import augmentation
    >>> neighbors = augmentation.WordNeighbors(
    ...     ["film", "movie", "good", "great"],
    ...     np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]),
    ... )
    >>> augmenter = augmentation.Augmenter(
    ...     neighbors=neighbors, num_neighbors=1, probability=1.0
    ... )
    >>> augmenter.variants(["A good film, isn't it?"])
    [["A good film, isn't it?", "A great movie, isn't it?"]]
    >>> augmenter.rows((["Good film"], ["It is good"]))
    [(0, ('Good film', 'It is good')), (0, ('Great movie', 'It is good')), \
(0, ('Good film', 'It is great'))]
    """

    def __init__(
        self,
        masked_lm=None,
        neighbors=None,
        num_samples=20,
        probability=0.4,
        num_neighbors=15,
        seed=0,
        procedure=PAPER,
        stop_words=STOP_WORDS,
    ):
        if masked_lm is None and neighbors is None:
            raise ValueError(
                "Give `masked_lm`, `neighbors` or both: what words are "
                "replaced by. Received: neither."
            )
        check_int("num_samples", num_samples, minimum=1)
        check_float("probability", probability, minimum=0, maximum=1)
        check_int("num_neighbors", num_neighbors, minimum=1)
        check_number("seed", seed, SEED)
        check_choice("procedure", procedure, PROCEDURES)
        self._masked_lm = masked_lm
        self._neighbors = neighbors
        self._num_samples = num_samples
        self._probability = probability
        self._num_neighbors = num_neighbors
        self._seed = seed
        self._is_official = procedure == OFFICIAL
        self._stop_words = stop_words
        self._known = {}
        self._lowers = self._is_official and (
            masked_lm is None or masked_lm.is_uncased
        )

    def variants(self, texts, first_row=0, column=0):
        """The variants of texts, each after the text itself.

        Args:
            texts: list of str.
            first_row: int. The number of the first one's row, which the draws
                follow from. Defaults to `0`.
            column: int. The place of the texts in a pair, as well. Defaults
                to `0`.

        Returns:
            List of lists of str, the text first, none twice.
        """
        cut = [Words(text, self._stop_words) for text in texts]
        candidates = self._candidates(cut)
        return [
            self._sampled(
                words,
                of_words,
                np.random.default_rng((self._seed, first_row + row, column)),
            )
            for row, (words, of_words) in enumerate(
                zip(cut, candidates, strict=True)
            )
        ]

    def rows(self, columns, first_row=0):
        """Texts, or pairs of texts, and their variants as rows.

        Of a pair one text is another one at a time: the first text's variants
        stand beside the second text as it is, and the other way round.

        Args:
            columns: tuple of one or two lists of str.
            first_row: int. The number of the first row. Defaults to `0`.

        Returns:
            List of pairs: the number of the row that a row comes from, whose
            label it has, and its texts, a tuple. The row itself comes before
            its variants, and no row of a text is there twice.
        """
        of_columns = [
            self.variants(texts, first_row, column)
            for column, texts in enumerate(columns)
        ]
        found = []
        for row, variants in enumerate(zip(*of_columns, strict=True)):
            rows = self._combined(variants)
            found += [(first_row + row, texts) for texts in rows]
        return found

    def _combined(self, variants):
        """The rows of a text's variants, or of those of both of a pair."""
        if len(variants) == 1:
            return [(text,) for text in variants[0]]
        first, second = variants
        if self._is_official:
            rows = [(text, second[0]) for text in first]
            return rows + [(first[-1], text) for text in second]
        rows = [(text, second[0]) for text in first]
        return rows + [(first[0], text) for text in second[1:]]

    def _candidates(self, cut):
        """For each text a dict of a word's place to its candidates."""
        found = [{} for _ in cut]
        if self._masked_lm is not None:
            found = self._masked_lm.find(cut)
        if self._neighbors is None:
            return found
        wanted = {
            words.words[place].lower()
            for words, known in zip(cut, found, strict=True)
            for place in words.replaceable
            if place not in known
        }
        new = sorted(wanted - self._known.keys())
        self._known |= {
            word: sorted(near)
            for word, near in self._neighbors.find(
                new, self._num_neighbors
            ).items()
        }
        for words, known in zip(cut, found, strict=True):
            for place in words.replaceable:
                if place not in known:
                    known[place] = self._known[words.words[place].lower()]
        return found

    def _sampled(self, words, candidates, random):
        """The text of some words and its variants, each once."""
        places = sorted(place for place, found in candidates.items() if found)
        shape = self._num_samples, len(places)
        is_replaced = random.random(shape) < self._probability
        shares = random.random(shape)
        variants = {words.text: None}
        for replaced, of_variant in zip(is_replaced, shares, strict=True):
            chosen = {}
            for number in np.flatnonzero(replaced):
                place = places[number]
                found = candidates[place]
                word = found[int(of_variant[number] * len(found))]
                chosen[place] = like_case(word, words.words[place])
            variants[self._written(words, chosen)] = None
        return list(variants)

    def _written(self, words, chosen):
        if not self._is_official:
            return words.replaced(chosen)
        text = " ".join(
            chosen.get(place, word) for place, word in enumerate(words.words)
        )
        return text.lower() if self._lowers else text
