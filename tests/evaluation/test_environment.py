import platform

import keras
import pytest

from keras_distill.evaluation import environment


def test_hardware_is_told():
    found = environment.hardware()
    assert found["processor"]
    assert found["cores"] >= 1
    assert found["memory_gb"] is None or found["memory_gb"] > 0
    assert isinstance(found["accelerators"], list)


def test_versions_are_those_in_use():
    found = environment.versions()
    assert found["python"] == platform.python_version()
    assert found["keras"] == keras.__version__
    assert list(found)[1:] == list(environment.PACKAGES)


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(environment, "PACKAGES", ("no_such_package_here",))
    assert environment.versions()["no_such_package_here"] is None


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
    facts = environment.run_facts(report)
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
