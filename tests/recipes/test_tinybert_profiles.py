"""The numbers of the paper and of its script, and what beats them."""

import numpy as np
import pytest

from keras_distill.optimizers import BertAdam
from recipes.common.training import make_optimizer
from recipes.tinybert.__main__ import build_parser
from recipes.tinybert.config import Config


@pytest.fixture
def parse():
    """Makes a `Config` as the command line does."""

    def make(words):
        options = vars(build_parser().parse_args(words.split()))
        for name in ("run_dir", "quiet", "resume"):
            del options[name]
        return Config(**options)

    return make


@pytest.mark.parametrize(
    "task, paper, script, length",
    [
        ("cola", 50, 50, 64),
        ("mnli", 10, 5, 128),
        ("mrpc", 20, 20, 128),
        ("qnli", 10, 10, 128),
        ("qqp", 10, 5, 128),
        ("rte", 20, 20, 128),
        ("sst2", 20, 10, 64),
        ("stsb", 20, 20, 128),
    ],
)
def test_each_tasks_numbers(task, paper, script, length):
    """Section 4.2 of the paper, and the table in `task_distill.py`."""
    for profile, epochs in (("paper", paper), ("script", script)):
        found = Config(profile=profile, task=task)
        assert found.intermediate_epochs == epochs
        assert found.sequence_length == length
        labels = (profile, task) == ("script", "stsb")
        assert found.prediction_target == ("labels" if labels else "teacher")
        assert found.teacher_dropout == ("on" if profile == "script" else "off")


def test_the_papers_numbers(parse):
    found = parse("--profile paper --task sst2")
    assert found == Config(profile="paper", task="sst2")
    expected = dict(
        teacher="bert_base_en_uncased",
        student="tinybert_4l_312d",
        head="tinybert",
        batch_size=32,
        optimizer="bert_adam",
        weight_decay=0.01,
        short_batches="dropped",
        evaluate_every=100,
        intermediate_rate=5e-5,
        intermediate_schedule="constant",
        prediction_epochs=3,
        prediction_rate=3e-5,
        normalization="official",
    )
    noted = found.settings()
    assert {name: noted[name] for name in expected} == expected
    assert noted["profile"] == "paper"


def test_what_is_given_beats_the_profile(parse):
    """Also where it is as by default."""
    given = "--batch-size 16 --head linear --evaluate-every 0"
    found = parse(f"--profile paper --task cola {given}")
    assert (found.batch_size, found.head, found.evaluate_every) == (
        16,
        "linear",
        0,
    )
    assert found.intermediate_epochs == 50
    # Of another task the rest is that task's.
    other = found.changed(task="rte")
    assert (other.intermediate_epochs, other.batch_size) == (20, 16)
    assert Config(task="cola").intermediate_epochs == 5
    assert parse("--task cola") == Config(task="cola")


def test_a_profile_that_contradicts_an_option_is_refused(parse):
    with pytest.raises(
        ValueError,
        match="--intermediate-rate has no effect with --intermediate-epochs 0. "
        "Received: --intermediate-rate 5e-05, of --profile paper",
    ):
        parse("--profile paper --intermediate-epochs 0")
    with pytest.raises(ValueError, match="Use --teacher-features live"):
        parse(
            "--profile script --teacher-features float16 --normalization masked"
        )


def test_the_papers_optimizer_and_schedules():
    """Half the rate at 5% and at 55% of the steps; step 1 is constant."""
    paper = Config(profile="paper", task="sst2")
    optimizer = make_optimizer(paper, 3e-5, total_steps=100)
    assert type(optimizer) is BertAdam
    settings = optimizer.get_config()
    assert {k: settings[k] for k in ("beta_1", "beta_2", "epsilon")} == {
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-6,
    }
    assert (settings["weight_decay"], settings["clipnorm"]) == (0.01, 1.0)
    rates = [float(optimizer._learning_rate(t)) for t in (5, 10, 55, 100)]
    np.testing.assert_allclose(rates, [1.5e-5, 3e-5, 1.5e-5, 0.0], atol=1e-11)
    constant = make_optimizer(paper, 5e-5)
    assert float(constant.learning_rate) == pytest.approx(5e-5)
