"""MobileBERT's recipe on several devices."""

import json

import pytest

from tests.recipes.test_strategies import end
from tests.recipes.test_strategies import start


@pytest.mark.slow
def test_two_devices_train_as_one_does(arguments, found, folder):
    words = arguments(folder / "two", strategy="mirrored")
    end(start(words, "two devices", "mobilebert"))
    text = (folder / "two/pretraining.json").read_text()
    for name, one in json.loads(text)["models"].items():
        # Weights of masked pieces are a mean of each device's rows.
        assert one["loss"] == pytest.approx(
            found["models"][name]["loss"], rel=1e-3
        )
