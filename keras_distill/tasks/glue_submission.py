"""What GLUE's server takes: a file of predictions for each test file, zipped.

https://gluebenchmark.com/faq: files with the columns `index` and
`prediction`, without folders, in one zip.
"""

import dataclasses
import zipfile

import numpy as np

from keras_distill.io.saving import local_path
from keras_distill.io.saving import replaced_file
from keras_distill.io.saving import write_text
from keras_distill.tasks.glue import GLUE_TASKS


@dataclasses.dataclass(frozen=True)
class GlueTestFile:
    """A file that the server takes.

    Attributes:
        name: string. Its name.
        task: string. The task whose test split is predicted.
        split: string. The test split.
        rows: int. The rows of the official test split.
        names_labels: bool. Whether a class is written by its name, and not by
            its number.
    """

    name: str
    task: str
    split: str
    rows: int
    names_labels: bool = False


GLUE_TEST_FILES = (
    GlueTestFile("CoLA.tsv", "cola", "test", 1063),
    GlueTestFile("SST-2.tsv", "sst2", "test", 1821),
    GlueTestFile("MRPC.tsv", "mrpc", "test", 1725),
    GlueTestFile("STS-B.tsv", "stsb", "test", 1379),
    GlueTestFile("QQP.tsv", "qqp", "test", 390965),
    GlueTestFile("MNLI-m.tsv", "mnli", "test_matched", 9796, True),
    GlueTestFile("MNLI-mm.tsv", "mnli", "test_mismatched", 9847, True),
    GlueTestFile("QNLI.tsv", "qnli", "test", 5463, True),
    GlueTestFile("RTE.tsv", "rte", "test", 3000, True),
    GlueTestFile("WNLI.tsv", "wnli", "test", 146),
    GlueTestFile("AX.tsv", "ax", "test", 1104, True),
)

# The server refuses scores of STS-B outside of these.
_LOWEST, _HIGHEST = 0.0, 5.0


def glue_test_files(name):
    """The files that a model of a task is to predict.

    Args:
        name: string. A task of GLUE. A model of MNLI predicts the diagnostic
            set too.

    Returns:
        Tuple of `GlueTestFile`.

    Example:

    >>> from keras_distill import tasks
    >>> [file.name for file in tasks.glue_test_files("mnli")]
    ['MNLI-m.tsv', 'MNLI-mm.tsv', 'AX.tsv']
    """
    predicted = (name, "ax") if name == "mnli" else (name,)
    return tuple(file for file in GLUE_TEST_FILES if file.task in predicted)


def write_glue_predictions(folder, file, ids, outputs):
    """Writes the predictions of one test split as GLUE's server takes them.

    Labels of MNLI, AX, QNLI and RTE are written by name, those of the others
    by number, and scores of STS-B from 0 to 5 with three decimals.

    Args:
        folder: path. Made if missing.
        file: `GlueTestFile`.
        ids: ints. The index of each row in the test file, in its order:
            `Examples.ids` of a test split.
        outputs: array `(rows, num_outputs)` of a model's raw outputs.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: another number of rows or of outputs, or outputs that are
            not finite.

    Example:

    ```python
    import pathlib
    from keras_distill import tasks

    (file,) = tasks.glue_test_files("rte")
    path = tasks.write_glue_predictions(
        "runs/rte", file, ids=[0, 1], outputs=[[0.2, 0.9], [2.0, -1.0]]
    )
    print(pathlib.Path(path).read_text())
    ```
    """
    task = GLUE_TASKS[file.task]
    predictions = task.predictions(task.checked_outputs(outputs))
    if len(ids) != len(predictions):
        raise ValueError(
            "`ids` and `outputs` must have the same number of rows. "
            f"Received: {len(ids)} and {len(predictions)}."
        )
    if task.label_names is None:
        scores = np.clip(predictions, _LOWEST, _HIGHEST)
        words = [f"{score:.3f}" for score in scores]
    elif file.names_labels:
        words = [task.label_names[index] for index in predictions]
    else:
        # Their numbers are those of GLUE's own files.
        words = map(str, predictions)
    lines = [f"{i}\t{word}" for i, word in zip(ids, words, strict=True)]
    path = local_path(folder) / file.name
    write_text(path, "\n".join(["index\tprediction", *lines, ""]))
    return path


def write_glue_submission(path, folders):
    """Zips files of predictions as GLUE's server takes them.

    Args:
        path: path of the zip file. One that is there is replaced.
        folders: sequence of paths. Where `write_glue_predictions` wrote.

    Returns:
        Tuple of the names of files that the server wants besides.

    Raises:
        ValueError: folders without any such file.
    """
    found = {
        file.name: local_path(folder) / file.name
        for folder in folders
        for file in GLUE_TEST_FILES
        if (local_path(folder) / file.name).is_file()
    }
    if not found:
        raise ValueError(
            "`folders` must hold predictions, such as RTE.tsv. Received: "
            f"{[str(folder) for folder in folders]}."
        )
    names = [file.name for file in GLUE_TEST_FILES]
    with replaced_file(local_path(path)) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                if name in found:
                    archive.write(found[name], name)
    return tuple(name for name in names if name not in found)
