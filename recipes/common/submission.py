"""Predictions of GLUE's test files, as its server takes them."""

import dataclasses

from keras_distill import tasks
from recipes.common.reading import read_task

# Where a run leaves them.
PREDICTIONS, SUBMISSION = LEAVES = ("predictions", "submission.zip")


@dataclasses.dataclass(frozen=True)
class TestFiles:
    """The test files that a model of a task is to predict.

    Attributes:
        rows: dict of `keras_distill.tasks.GlueTestFile` to its task and its
            examples.
        missing: dict of the name of a file of the server's to what is missing
            for it.
    """

    rows: dict
    missing: dict

    @classmethod
    def read(cls, config):
        """Reads those of the task of a configuration that are there."""
        rows, missing = {}, {}
        for file in tasks.glue_test_files(config.main_task):
            try:
                task, splits = read_task(file.task, config)
            except ValueError as error:
                # There is no such folder; nothing was read yet.
                missing[file.name] = str(error)
                continue
            if file.split in splits:
                rows[file] = task, splits[file.split]
            else:
                missing[file.name] = (
                    f"There is no split {file.split!r} of {file.task}."
                )
        return cls(rows, missing)

    def notes(self):
        """What is to be said of them before a model is trained."""
        yield from (
            f"Without predictions in {name}: {why}"
            for name, why in self.missing.items()
        )
        yield from (
            f"{file.name} will have {len(examples):,} rows, where GLUE's "
            f"server expects {file.rows:,}"
            for file, (_, examples) in self.rows.items()
            if len(examples) != file.rows
        )

    def predict(self, model, folder, sequence_length=None, cache_dir=None):
        """Writes what a model says of them.

        Args:
            model: KerasHub task.
            folder: `pathlib.Path` of the run.
            sequence_length: Optional int, the most tokens of an example.
                Defaults to the task's.
            cache_dir: Optional path of a folder for token ids.

        Returns:
            Iterator of what is to be said.
        """
        for file, (task, examples) in self.rows.items():
            tokenized = task.tokenize(
                task.unlabelled(examples),
                model.preprocessor,
                sequence_length or task.sequence_length,
                cache_dir,
            )
            path = tasks.write_glue_predictions(
                folder / PREDICTIONS,
                file,
                examples.ids,
                task.predict(model, tokenized),
            )
            yield f"Predictions: {path}"
        if self.rows:
            yield write_submission(folder / SUBMISSION, [folder / PREDICTIONS])


def write_submission(path, folders):
    """Zips predictions; returns what is to be said of it."""
    missing = tasks.write_glue_submission(path, folders)
    if not missing:
        return f"For GLUE's server: {path}"
    return f"For GLUE's server, without {', '.join(missing)}: {path}"
