"""Tasks by name."""

import pytest

from keras_distill import tasks


def test_names():
    assert tasks.task_names() == (
        "film_reviews",
        *("cola", "sst2", "mrpc", "stsb", "qqp"),
        *("mnli", "qnli", "rte", "wnli", "ax"),
        *("litl", "wiki_crowd_nli", "cad_snli", "boolq"),
    )


def test_every_task_carries_its_name():
    for name in tasks.task_names():
        assert tasks.get_task(name).name == name


@pytest.mark.parametrize("function", [tasks.get_task, tasks.load])
def test_unknown_name(function):
    with pytest.raises(ValueError) as error:
        function("sst-2")
    assert "film_reviews, cola, sst2" in str(error.value)
    assert "Received: 'sst-2'." in str(error.value)


@pytest.mark.parametrize("argument", ["data_dir", "tfds_data_dir"])
def test_film_reviews_take_no_folder(tmp_path, argument):
    with pytest.raises(ValueError, match="takes neither `data_dir`"):
        tasks.load("film_reviews", **{argument: tmp_path})


def test_one_source_only(tmp_path):
    with pytest.raises(ValueError, match="exclude each other"):
        tasks.load("sst2", data_dir=tmp_path, tfds_data_dir=tmp_path)
