"""The folder of a run: what it was asked, and what is done."""

import json
import os
import pathlib

from keras_distill.saving import swapped_optimizer


class RunFolder:
    """The folder of a run: what it was asked, and what is done.

    A run is a list of steps, each of which trains a model. What a finished
    step left is kept, so that the same run started again goes on with the
    first step that is not finished. A folder belongs to one configuration.

    Everything is written under a temporary name and then renamed, so a step
    is finished as a whole or not at all.

    Args:
        path: Path of the folder. Made if missing.
        config: dict that JSON can hold: all that the results depend on.

    Raises:
        ValueError: If the folder holds a run of another configuration.

    Example:

    ```python
    from keras_distill import stages

    folder = stages.RunFolder("runs/mine", {"seed": 1})
    if not folder.is_done("teacher"):
        folder.finish("teacher", {"accuracy": 0.5})
    print(folder.results("teacher"))
    ```
    """

    def __init__(self, path, config):
        self.path = pathlib.Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(
                "The run's folder must be a folder. "
                f"Received a file: {str(self.path)!r}"
            )
        self.config = json.loads(json.dumps(config))
        known = self._read("config.json")
        if known is not None and known != self.config:
            differences = [
                f"{key}: {known.get(key)!r} there, {self.config.get(key)!r} now"
                for key in sorted({*known, *self.config})
                if known.get(key) != self.config.get(key)
            ]
            raise ValueError(
                f"{str(self.path)!r} holds a run with other settings "
                f"({'; '.join(differences)}). Choose another folder, or "
                "remove this one."
            )
        self._write("config.json", self.config)

    def is_done(self, step):
        """Whether a step is finished."""
        return (self.path / "steps" / f"{step}.json").is_file()

    def results(self, step):
        """What a finished step left.

        Args:
            step: str. Name of the step.

        Returns:
            dict.
        """
        return self._read(f"steps/{step}.json")

    def load_weights(self, step, model):
        """Gives a model the weights that a finished step left.

        Args:
            step: str. Name of the step.
            model: `keras.Model`, built as it was for the step.
        """
        with swapped_optimizer(model, None):
            model.load_weights(self._weights(step))

    def finish(self, step, results, model=None):
        """Writes what a step leaves, and marks it finished.

        Args:
            step: str. Name of the step.
            results: dict that JSON can hold.
            model: Optional `keras.Model` whose weights are kept.
        """
        if model is not None:
            final = self._weights(step)
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary = final.with_name(f"new-{final.name}")
            try:
                with swapped_optimizer(model, None):
                    model.save_weights(temporary)
                os.replace(temporary, final)
            finally:
                temporary.unlink(missing_ok=True)
        # Last, since this file is what marks the step.
        self._write(f"steps/{step}.json", results)

    def _weights(self, step):
        return self.path / "steps" / f"{step}.weights.h5"

    def _read(self, name):
        path = self.path / name
        if not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(
                f"{path} is damaged ({error}). Remove it to do its step anew."
            ) from error

    def _write(self, name, content):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"new-{path.name}")
        text = json.dumps(content, indent=2, ensure_ascii=False)
        try:
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
