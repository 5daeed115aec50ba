"""`--normalization official` against what TinyBERT's script computes.

The script pads every example to one length and averages over all of it. Its
value is worked out here in NumPy, from the features of the two models.
"""

import keras
import numpy as np
import pytest

from keras_distill import features
from keras_distill import stages
from recipes.common.experiment import Experiment
from recipes.tinybert import recipe as tinybert
from recipes.tinybert.config import Config

pytestmark = pytest.mark.usefixtures("eager")

LENGTH = 16


@pytest.fixture
def build(glue_dir, tmp_path, make_classifier, randomize):
    """Builds step 1 of the recipe, with its first batch and the models."""
    teacher = randomize(make_classifier(num_layers=2))

    def make(normalization):
        config = Config(
            task="sst2",
            glue_dir=str(glue_dir),
            student="1x8x2",
            sequence_length=LENGTH,
            batch_size=8,
            normalization=normalization,
        )
        with stages.RunFolder(tmp_path / normalization, quiet=True) as folder:
            experiment = Experiment(config, folder)
            examples = experiment.read("sst2")
            data = experiment.tokenize(examples, teacher.preprocessor)
            student = experiment.student(teacher, start="random")
        randomize(student, seed=1)
        stage = tinybert.intermediate_step(
            experiment, student, teacher, teacher, data.train
        )
        (x, _), *_ = stage.batches(seed=0, epoch=0)
        x = {
            name: keras.ops.convert_to_numpy(value) for name, value in x.items()
        }
        return stage, x, teacher, student

    return make


def official(x, teacher, student, projection):
    """Hidden states and attention, averaged over padding as well."""
    wanted = ["embeddings", "hidden_states", "attention_scores"]
    ours, theirs = (
        {
            name: keras.ops.convert_to_numpy(value)
            for name, value in features.FeatureExtractor(model, wanted)(
                x
            ).items()
        }
        for model in (student, teacher)
    )
    kernel, bias = projection.get_weights()
    hidden = sum(
        np.mean((ours[one] @ kernel + bias - theirs[two]) ** 2)
        for one, two in (
            ("embeddings", "embeddings"),
            ("hidden_states.1", "hidden_states.2"),
        )
    )
    # The script adds -10,000 to the scores of padded keys.
    added = -1e4 * (1 - x["padding_mask"][:, None, None, :])
    scores = [
        found + added
        for found in (ours["attention_scores.1"], theirs["attention_scores.2"])
    ]
    ours, theirs = (np.where(one <= -1e2, 0.0, one) for one in scores)
    return {
        "hidden_states_loss": hidden,
        "attention_loss": np.mean((ours - theirs) ** 2),
    }


def test_official_is_the_scripts_value_of_a_padded_batch(build):
    stage, x, teacher, student = build("official")
    assert stage.describe()["batch_options"] == {"fixed_length": LENGTH}
    # All batches are that long, with padding in every row.
    assert x["token_ids"].shape == (8, LENGTH)
    assert (x["padding_mask"].sum(axis=1) < LENGTH).all()
    distiller = stage.build()
    (projection,) = distiller.projections.values()
    wanted = official(x, teacher, student, projection)
    found = distiller.evaluate(x=x, verbose=0, return_dict=True)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4)


def test_masked_is_another_value(build):
    stage, x, teacher, student = build("masked")
    assert stage.describe()["batch_options"] == {}
    # No longer than their longest example.
    assert x["token_ids"].shape[1] == x["padding_mask"].sum(axis=1).max()
    distiller = stage.build()
    (projection,) = distiller.projections.values()
    padded = {
        name: np.pad(value, ((0, 0), (0, LENGTH - value.shape[1])))
        for name, value in x.items()
    }
    found = distiller.evaluate(x=padded, verbose=0, return_dict=True)
    for name, value in official(padded, teacher, student, projection).items():
        assert not np.isclose(found[name], value, rtol=0.1)
    # Padding changes nothing of it.
    short = distiller.evaluate(x=x, verbose=0, return_dict=True)
    for name in found:
        np.testing.assert_allclose(short[name], found[name], rtol=1e-4)


def test_official_leads_to_another_student(build):
    left = {}
    for normalization in ("official", "masked"):
        stage, _, _, student = build(normalization)
        distiller = stage.build()
        (x, y), *_ = stage.batches(seed=0, epoch=0)
        # The rate begins at 0.
        for _ in range(3):
            distiller.train_on_batch(x, y)
        left[normalization] = student.get_weights()
    differs = [
        not np.allclose(one, two, atol=1e-6)
        for one, two in zip(*left.values(), strict=True)
    ]
    assert any(differs)
