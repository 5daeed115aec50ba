"""Tasks by name."""

import pytest

from keras_distill import tasks


def test_names():
    assert tasks.task_names() == (
        "film_reviews",
        *("cola", "sst2", "mrpc", "stsb", "qqp"),
        *("mnli", "qnli", "rte", "wnli", "ax"),
        *("litl", "wiki_crowd_nli", "cad_snli", "boolq"),
        "qnli_ranking",
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


def test_an_environment_variable_cuts_the_rows(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "SST-2"
    folder.mkdir()
    for split in ("train", "dev"):
        rows = "".join(f"film {row}\t{row % 2}\n" for row in range(9))
        (folder / f"{split}.tsv").write_text("sentence\tlabel\n" + rows)
    monkeypatch.setenv("KERAS_DISTILL_MAX_EXAMPLES", "4")
    _, splits = tasks.load("sst2", data_dir=tmp_path)
    assert splits["train"].texts == (["film 0", "film 1", "film 2", "film 3"],)
    assert len(splits["dev"]) == 4
    assert "cut to its first 4 rows" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_a_number_of_rows_that_is_none(tmp_path, monkeypatch, text):
    monkeypatch.setenv("KERAS_DISTILL_MAX_EXAMPLES", text)
    (tmp_path / "SST-2").mkdir()
    (tmp_path / "SST-2" / "train.tsv").write_text("sentence\tlabel\ngood\t1\n")
    with pytest.raises(ValueError, match=f"MAX_EXAMPLES='{text}'. Unset it"):
        tasks.load("sst2", data_dir=tmp_path)


@pytest.mark.parametrize("name", [None, ["rte", "mrpc"], tasks.Task])
def test_a_name_is_a_string(name):
    for function in (tasks.get_task, tasks.load):
        with pytest.raises(ValueError, match="`name` must be a string"):
            function(name)


def test_a_folders_name_hints_at_the_task():
    with pytest.raises(
        ValueError, match="Received: 'SST-2'.*did you mean 'sst2'"
    ):
        tasks.load("SST-2")
