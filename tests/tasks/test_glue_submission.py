"""The files that GLUE's server takes, of predictions that are made up."""

import zipfile

import numpy as np
import pytest

from keras_distill import tasks

# By file, what three rows whose highest outputs are of the last, the first and
# the last class are written as.
EXPECTED = {
    "CoLA": "1 0 1",
    "SST-2": "1 0 1",
    "MRPC": "1 0 1",
    "STS-B": "5.000 0.000 2.346",
    "QQP": "1 0 1",
    "MNLI-m": "contradiction entailment contradiction",
    "MNLI-mm": "contradiction entailment contradiction",
    "QNLI": "not_entailment entailment not_entailment",
    "RTE": "not_entailment entailment not_entailment",
    "WNLI": "1 0 1",
    "AX": "contradiction entailment contradiction",
}


def outputs_of(file):
    task = tasks.get_task(file.task)
    if task.label_names is None:
        return np.array([[7.2], [-0.4], [2.34567]])
    return np.eye(task.num_outputs)[[-1, 0, -1]]


def write(folder, files):
    for file in files:
        tasks.write_glue_predictions(
            folder, file, np.array([4, 0, 2]), outputs_of(file)
        )


def test_all_eleven_and_the_zip(tmp_path):
    write(tmp_path, tasks.GLUE_TEST_FILES)
    missing = tasks.write_glue_submission(tmp_path / "my.zip", [tmp_path])
    assert missing == ()
    with zipfile.ZipFile(tmp_path / "my.zip") as archive:
        found = {
            name: archive.read(name).decode() for name in archive.namelist()
        }
    assert found == {
        f"{name}.tsv": "index\tprediction\n"
        + "".join(
            f"{index}\t{word}\n"
            for index, word in zip((4, 0, 2), words.split(), strict=True)
        )
        for name, words in EXPECTED.items()
    }


def test_a_zip_of_some_says_what_is_missing(tmp_path):
    write(tmp_path / "one", tasks.glue_test_files("mnli"))
    write(tmp_path / "two", tasks.glue_test_files("rte"))
    missing = tasks.write_glue_submission(
        tmp_path / "my.zip", [tmp_path / "one", tmp_path / "two"]
    )
    assert [name.removesuffix(".tsv") for name in missing] == [
        name
        for name in EXPECTED
        if name not in ("MNLI-m", "MNLI-mm", "AX", "RTE")
    ]
    with pytest.raises(ValueError, match="must hold predictions"):
        tasks.write_glue_submission(tmp_path / "no.zip", [tmp_path])


def test_bad_outputs(tmp_path):
    (file,) = tasks.glue_test_files("rte")
    for ids, outputs, message in (
        ([0], np.eye(2), "same number of rows"),
        ([0, 1], np.eye(2) * np.nan, "finite"),
        ([0, 1], np.zeros((2, 3)), "shape"),
    ):
        with pytest.raises(ValueError, match=message):
            tasks.write_glue_predictions(tmp_path, file, ids, outputs)
    assert not list(tmp_path.iterdir())
