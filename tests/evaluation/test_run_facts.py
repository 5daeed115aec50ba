import pytest

from keras_distill.evaluation import run_facts


@pytest.fixture
def report():
    return {
        "seeds": [1, 2],
        "date": "2025-01-31 12:00",
        "timings": {"teacher": 61.0},
        "hardware": {
            "processor": "a processor",
            "cores": 2,
            "memory_gb": None,
            "accelerators": [],
            "system": "Linux",
        },
        "versions": {"keras": "3.15", "keras_distill": None},
        "config": {"epochs": [6, 3], "glue_dir": None, "rates": {"a": 0.1}},
    }


def test_facts_in_words(report):
    facts = run_facts.run_facts(report)
    assert facts["Run"]["seeds"] == "1, 2"
    assert facts["Wall-clock time"]["teacher"] == "1\u00a0min\u00a01\u00a0s"
    assert facts["Hardware"]["memory"] == "–"
    assert facts["Hardware"]["accelerator"] == "none"
    assert facts["Versions"] == {"keras": "3.15", "keras_distill": "–"}
    assert facts["Configuration"] == {
        "epochs": "6, 3",
        "glue_dir": "–",
        "rates": "a: 0.1",
    }


def test_history_is_split_into_losses_and_metrics():
    keys = ["loss", "logits_loss", "accuracy", "val_loss", "learning_rate"]
    assert run_facts.split_history(dict.fromkeys(keys)) == {
        "loss": ["loss", "logits_loss", "val_loss"],
        "metric": ["accuracy"],
    }
