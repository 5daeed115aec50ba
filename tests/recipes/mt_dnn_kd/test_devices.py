"""MT-DNN's recipe on several devices."""

import json

import numpy as np
import pytest

from keras_distill import models
from keras_distill import tasks
from recipes.common.devices import on_one_device
from tests.recipes.test_strategies import end
from tests.recipes.test_strategies import start


def test_a_copy_of_several_tasks_reads_and_answers_as_they_do(
    make_classifier, all_eager
):
    """A tokenizer's words are not in the config of a model."""
    classifier = make_classifier(num_layers=1)
    model = models.MultiTaskModel.for_tasks(
        classifier.backbone,
        classifier.preprocessor,
        [tasks.get_task("sst2"), tasks.get_task("rte")],
    )
    copy = on_one_device(model)
    assert copy.backbone is not model.backbone
    assert copy.task_models["rte"].backbone is copy.backbone
    for name, texts in (
        ("sst2", ["a great film", "dull"]),
        ("rte", (["a great film"], ["the plot is dull"])),
    ):
        np.testing.assert_array_equal(
            *(one.predict(texts, task=name, verbose=0) for one in (copy, model))
        )


@pytest.mark.slow
def test_two_devices_train_as_one_does(arguments, folder):
    """Without dropout, which is drawn on each device."""
    found = {}
    for name, devices, strategy in (
        ("one", "one device", "none"),
        ("two", "two devices", "mirrored"),
    ):
        words = arguments(
            folder / name,
            strategy=strategy,
            members=f"{folder / 'encoder'}:0",
            best=1,
            student_dropout=0,
            answer_networks=None,
            task_dropout="rte:0,sst2:0",
            baselines="none",
        )
        end(start(words, devices, "mt_dnn_kd"))
        found[name] = json.loads((folder / name / "results.json").read_text())
    one, two = (found[name]["stages"] for name in ("one", "two"))
    assert list(one) == list(two)
    for stage, done in one.items():
        for metric, values in done["history"].items():
            assert two[stage]["history"][metric] == pytest.approx(
                values, rel=1e-3, abs=1e-5
            ), (stage, metric)
