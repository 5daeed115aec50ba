"""A masked language model's training, and what it leaves."""

import json

import pytest

from keras_distill import export
from keras_distill import models
from keras_distill.corpora import augmentation
from recipes.tinybert import masked_lm
from recipes.tinybert.masked_lm import Config


def test_what_does_not_go_together_is_refused():
    with pytest.raises(ValueError, match="--corpus must name a file or fold"):
        Config()
    with pytest.raises(ValueError, match="--steps must be a multiple of"):
        Config(corpus="text.txt", steps=10, measure_every=4)


@pytest.mark.slow
def test_it_learns_and_its_preset_gives_words(tmp_path, make_classifier):
    export.to_preset(make_classifier(num_layers=1), tmp_path / "encoder")
    documents = ["the film was very good . " * 20, "a dull plot " * 40] * 12
    (tmp_path / "text.txt").write_text("\n\n".join(documents))
    config = Config(
        encoder=str(tmp_path / "encoder"),
        corpus=str(tmp_path / "text.txt"),
        sequence_length=16,
        steps=60,
        measure_every=30,
        held_out_rows=8,
        batch_size=8,
        learning_rate=1e-2,
    )

    measures = masked_lm.run(config, tmp_path / "run", quiet=True)
    # Of 23 words each is known by the two beside it.
    assert measures["accuracy"] > 0.3
    left = json.loads((tmp_path / "run/masked_lm.json").read_text())
    assert left == pytest.approx(measures)
    words = augmentation.MaskedLMWords(
        models.load_masked_lm(tmp_path / "run/masked_lm"), num_words=3
    )
    found = augmentation.Augmenter(words, probability=1.0).variants(
        ["a dull plot"]
    )
    assert found[0][0] == "a dull plot" and len(found[0]) > 1
