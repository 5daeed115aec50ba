"""A cache is of one teacher: its weights, and what it computes with them."""

import json

import keras
import numpy as np
import pytest

from keras_distill.teachers import TeacherCache
from keras_distill.teachers.cache.fingerprint import architecture


def with_activation(make_teacher, activation):
    keras.utils.set_random_seed(1)
    teacher = make_teacher()
    teacher.layers[-1].activation = keras.activations.get(activation)
    return teacher


def write(path, teacher, examples, **words):
    return TeacherCache.write(path, teacher, examples, quiet=True, **words)


def test_another_activation_is_another_teacher(
    tmp_path, make_teacher, examples
):
    teacher = with_activation(make_teacher, "linear")
    other = with_activation(make_teacher, "relu")
    cache = write(tmp_path / "cache", teacher, examples)
    cache.check_teacher(with_activation(make_teacher, "linear"))
    with pytest.raises(
        ValueError,
        match=r"activations \['linear'\] there, \['linear', 'relu'\] here"
        r"|activations \['linear'\] there, \['relu'\] here",
    ):
        cache.check_teacher(other)
    with pytest.raises(ValueError, match="the teacher's architecture"):
        write(tmp_path / "cache", other, examples)


def test_another_cache_can_be_set_aside(tmp_path, make_teacher, examples):
    path = tmp_path / "cache"
    first = write(path, make_teacher(), examples).read([examples.ids[0]])
    other = make_teacher()
    with pytest.raises(ValueError, match="the teacher's weights.*no-resume"):
        write(path, other, examples)
    second = write(path, other, examples, replace=True)
    second.check_teacher(other)
    aside = TeacherCache(tmp_path / "cache-earlier-1")
    found = aside.read([examples.ids[0]])["logits"]
    np.testing.assert_array_equal(found, first["logits"])
    # One that is the same stays.
    write(path, other, examples, replace=True)
    assert not (tmp_path / "cache-earlier-2").exists()


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_earlier_version_wrote(
    tmp_path, make_teacher, examples, version
):
    teacher, path = make_teacher(), tmp_path / "cache"
    write(path, teacher, examples)
    manifest = path / "manifest.json"
    content = {**json.loads(manifest.read_text()), "version": version}
    manifest.write_text(json.dumps(content))
    for call in (TeacherCache, lambda path: write(path, teacher, examples)):
        with pytest.raises(ValueError, match="earlier version .* anew: into"):
            call(path)
    write(path, teacher, examples, replace=True).check_teacher(teacher)
    assert (tmp_path / "cache-earlier-1" / "manifest.json").is_file()


def test_names_are_no_architecture(make_teacher):
    first, second = make_teacher(), make_teacher()
    assert first.layers[-1].name != second.layers[-1].name
    assert architecture(first) == architecture(second)
    # Which a teacher has off.
    other = make_teacher(dropout=0.5)
    assert architecture(first) == architecture(other)
    assert architecture(first, True) != architecture(other, True)
    mixed = keras.DTypePolicy("mixed_bfloat16")
    second.get_layer("hidden").dtype_policy = mixed
    assert architecture(first) != architecture(second)


def test_a_preprocessor_that_packed_texts_makes_no_difference(make_classifier):
    teacher = make_classifier(num_layers=1)
    before = architecture(teacher)
    teacher.preprocessor(["good film"])
    assert architecture(teacher) == before
