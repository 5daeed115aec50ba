import platform

import keras

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
