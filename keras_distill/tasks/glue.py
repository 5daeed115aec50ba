"""The ten GLUE tasks, from TensorFlow Datasets or from a folder.

Wang et al., 2018, "GLUE: A Multi-Task Benchmark and Analysis Platform for
Natural Language Understanding", https://gluebenchmark.com.
"""

from keras_distill.tasks import glue_files
from keras_distill.tasks import glue_tfds
from keras_distill.tasks.classification import ClassificationTask
from keras_distill.tasks.regression import RegressionTask

_NLI = ("entailment", "neutral", "contradiction")
_BINARY_NLI = ("entailment", "not_entailment")
_SENTENCES = ("sentence1", "sentence2")

# Label names stand in the order of TFDS's class indices. WNLI's order is
# indeed the reverse of RTE's.
GLUE_TASKS = {
    task.name: task
    for task in (
        ClassificationTask(
            name="cola",
            text_columns=("sentence",),
            label_names=("unacceptable", "acceptable"),
            metrics=("matthews",),
            sequence_length=64,
        ),
        ClassificationTask(
            name="sst2",
            text_columns=("sentence",),
            label_names=("negative", "positive"),
            metrics=("accuracy",),
            sequence_length=64,
        ),
        ClassificationTask(
            name="mrpc",
            text_columns=_SENTENCES,
            label_names=("not_equivalent", "equivalent"),
            metrics=("accuracy", "f1"),
            sequence_length=128,
        ),
        RegressionTask(
            name="stsb",
            text_columns=_SENTENCES,
            label_names=None,
            metrics=("pearson_spearman", "pearson", "spearman"),
            sequence_length=128,
        ),
        ClassificationTask(
            name="qqp",
            text_columns=("question1", "question2"),
            label_names=("not_duplicate", "duplicate"),
            metrics=("accuracy", "f1"),
            sequence_length=128,
        ),
        ClassificationTask(
            name="mnli",
            text_columns=("premise", "hypothesis"),
            label_names=_NLI,
            metrics=("accuracy",),
            sequence_length=128,
        ),
        ClassificationTask(
            name="qnli",
            text_columns=("question", "sentence"),
            label_names=_BINARY_NLI,
            metrics=("accuracy",),
            sequence_length=128,
        ),
        ClassificationTask(
            name="rte",
            text_columns=_SENTENCES,
            label_names=_BINARY_NLI,
            metrics=("accuracy",),
            sequence_length=128,
        ),
        ClassificationTask(
            name="wnli",
            text_columns=_SENTENCES,
            label_names=("not_entailment", "entailment"),
            metrics=("accuracy",),
            sequence_length=128,
        ),
        # The diagnostic set: predicted with a model of MNLI, never trained.
        ClassificationTask(
            name="ax",
            text_columns=("premise", "hypothesis"),
            label_names=_NLI,
            metrics=("matthews",),
            sequence_length=128,
        ),
    )
}


def load_glue(
    name,
    data_dir=None,
    tfds_data_dir=None,
    encoding=None,
    skip_bad_rows=False,
):
    """Opens a GLUE task.

    MNLI has the splits `"train"`, `"dev_matched"`, `"dev_mismatched"`,
    `"test_matched"` and `"test_mismatched"`, AX has only `"test"`, and the
    others have `"train"`, `"dev"` and `"test"`. A folder gives the splits for
    which it has a file. The official test splits have no labels.

    Args:
        name: string. One of `GLUE_TASKS`.
        data_dir: string or path. A folder in GLUE's usual layout, the one
            that holds `SST-2`, `CoLA` and so on, or the task's own folder.
            Files are `train.tsv` or `train.tsv.gz` and so on. Defaults to
            `None`, which takes the data from TensorFlow Datasets.
        tfds_data_dir: string or path. Where TensorFlow Datasets keeps its
            files. Defaults to `None`, its own default.
        encoding: string. The encoding of TSV files without byte order mark.
            Defaults to `None`: UTF-8.
        skip_bad_rows: bool. Whether to leave out rows of TSV files that
            cannot be read. Defaults to `False`.

    Returns:
        A `Task` and a mapping of split name to `Examples`.

    Raises:
        ValueError: bad data, with the file and the line.
    """
    task = GLUE_TASKS[name]
    if data_dir is None:
        return task, glue_tfds.open_tfds(task, tfds_data_dir)
    if tfds_data_dir is not None:
        raise ValueError(
            "`data_dir` and `tfds_data_dir` exclude each other: give the "
            "folder of the TSV files or the folder of TensorFlow Datasets. "
            f"Received: {str(data_dir)!r} and {str(tfds_data_dir)!r}."
        )
    return task, glue_files.open_folder(task, data_dir, encoding, skip_bad_rows)
