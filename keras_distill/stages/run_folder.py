"""The folder of a run: what it was asked, what is done, what it said."""

import contextlib
import dataclasses
import datetime
import json
import math
import os
import pathlib
import platform
import shlex
import socket
import sys
from importlib import metadata

import keras

from keras_distill.io import FileHashes
from keras_distill.io import make_console
from keras_distill.io import set_aside
from keras_distill.io.file_lock import RunLock
from keras_distill.io.hashes import bytes_hash
from keras_distill.io.json_file import differences
from keras_distill.io.json_file import plain
from keras_distill.io.json_file import read_json
from keras_distill.io.json_file import write_json
from keras_distill.io.saving import check_names_free
from keras_distill.io.saving import local_path
from keras_distill.io.saving import replaced_file
from keras_distill.stages import checkpoints
from keras_distill.stages.identity import BEGIN_ANEW
from keras_distill.stages.identity import check_same_stage
from keras_distill.stages.stage_result import StageResult

_PACKAGES = (
    "keras-distill",
    "keras",
    "keras-hub",
    "numpy",
    "tensorflow",
    "jax",
    "torch",
)
# Beside `lock` and `run.json`.
_ITS_OWN = ("config.json", "log.txt", "metrics.jsonl", "stages", "tensorboard")

# What each field of a result must be in JSON.
_KINDS = {
    "history": dict,
    "seconds": (int, float),
    "best": (dict, type(None)),
    "start": (dict, type(None)),
}
# Those that earlier versions did not write.
_LATER = {"start": None}


class RunFolder:
    """The folder of a run: what it was asked, what is done, what it said.

    - `config.json`: the configuration. A folder belongs to one as soon as
      something was trained in it, or a start came to its end.
    - `run.json`: when the run was started, each time, with which command and
      versions, on which host, and how that ended.
    - `log.txt`: what was shown.
    - `metrics.jsonl`: the logs of training, a line for each epoch and for
      every 100th batch.
    - `tensorboard/`: the same for TensorBoard, on the TensorFlow backend.
    - `stages/<name>/`: checkpoints of the stage that is running; result and
      student of one that is finished.
    - `hashes.json`: hashes of files that stages are trained on.
    - `inputs.json`: the inputs, if there are any.
    - `lock`: which process works in the folder.

    Whatever else is in the folder is left alone, and files of these names
    that are of no run are refused.

    Use it as a context manager to run several lists of stages in one folder,
    or to leave other things there. With several workers, only the chief
    writes.

    Args:
        path: Path of the folder. Made if missing. `~` is your home, and a
            link is followed.
        config: Optional dict that JSON can hold: all that the results depend
            on.
        resume: bool. Whether to go on with the run that is there. Otherwise
            it is renamed to `<path>-earlier-1` (or `-2`, ...) and a new one
            begins. Defaults to `True`.
        quiet: bool. Whether to show nothing. Defaults to `False`.
        leaves: Sequence of str. What else the run will leave in its folder. A
            folder that holds it, but no run, is refused. Defaults to `()`.
        inputs: Optional dict that JSON can hold: what the results depend on
            beside the configuration, such as hashes of data. It is for who
            takes results of a finished run without running its stages, which
            know by themselves what they were trained on. Others are refused
            as another configuration is; a run that noted none takes them.

    Attributes:
        path: `pathlib.Path` of the folder.
        command: str. The command line of this process.

    Raises:
        ValueError: If the folder holds a run of another configuration or of
            other inputs, files of no run where a run writes its own, or
            another process works in it.

    Example:

    ```python
    from keras_distill import stages

    with stages.RunFolder("runs/mine", {"seed": 1}) as folder:
        folder.say("Reading the data")
    ```
    """

    def __init__(
        self,
        path,
        config=None,
        resume=True,
        quiet=False,
        leaves=(),
        inputs=None,
    ):
        self.path = local_path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(
                "The run's folder must be a folder. "
                f"Received a file: {str(self.path)!r}"
            )
        if not _is_run(self.path):
            names = [*_ITS_OWN, *leaves]
            if inputs is not None:
                names.append("inputs.json")
            check_names_free(self.path, names, "run")
        self.quiet = quiet
        self.writes = is_chief()
        self.command = shlex.join(sys.orig_argv)
        self.config = _plain(config or {})
        self._console = make_console(
            soft_wrap=True, highlight=False, markup=False
        )
        # What is to be said once the record is begun.
        self._notes = []
        self._lock = RunLock(self.path / "lock") if self.writes else None
        try:
            if not resume:
                self._set_aside()
            self._read_record()
            self._check_known("config.json", self.config, "settings")
            if inputs is not None:
                self._check_known("inputs.json", _plain(inputs), "inputs")
            self._begin_record()
            self._hashes = FileHashes(self.path / "hashes.json")
        except BaseException:
            self._release()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is None:
            self.close("finished")
            return
        stopped = isinstance(error, KeyboardInterrupt)
        # On a full disk nothing can be noted; that is the error to show.
        with contextlib.suppress(OSError):
            self.close("stopped" if stopped else f"failed: {error}")

    def close(self, status="finished"):
        """Notes how the run ended, and lets go of the folder.

        Args:
            status: str. Defaults to `"finished"`.
        """
        try:
            if self.writes and self._lock is not None:
                self._start["ended"] = _now()
                self._start["status"] = status
                write_json(self.path / "run.json", self._record)
        finally:
            self._release()

    def stage(self, name):
        """The folder of a stage.

        Args:
            name: str. Name of the stage.

        Returns:
            `StageFolder`.
        """
        return StageFolder(self.path / "stages" / name, self.writes)

    def has_trained(self):
        """Whether a stage has trained here, in this start or in another.

        Returns:
            bool. `False` where there is nothing that a change of settings
            could spoil.
        """
        stages = self.path / "stages"
        names = os.listdir(stages) if stages.is_dir() else []
        return any(self.stage(name).has_trained() for name in names)

    def hash_of(self, path):
        """A hash of a file's content, which is kept.

        It is computed again only when the file's size or time of change is
        another one.

        Args:
            path: `pathlib.Path` of the file.

        Returns:
            str, or `None` for a file of the run itself.
        """
        if self.path.resolve() in path.resolve().parents:
            return None
        found = self._hashes.of(path)
        content = self._hashes.content()
        if content is not None and self.writes:
            write_json(self.path / "hashes.json", content)
        return found

    def say(self, *lines):
        """Shows lines, unless the run is quiet, and logs them.

        Args:
            *lines: str.
        """
        if not self.quiet:
            for line in lines:
                self._console.print(line)
        self.log(*lines)

    def log(self, *lines):
        """Writes lines to `log.txt` without showing them.

        Args:
            *lines: str.
        """
        if self.writes:
            with open(self.path / "log.txt", "a", encoding="utf-8") as file:
                file.writelines(f"{_now()} {line}\n" for line in lines)

    def _set_aside(self):
        """Renames a run that is there."""
        names = ("config.json", "run.json")
        is_run = any((self.path / name).exists() for name in names)
        if not self.writes or not is_run:
            return
        if pathlib.Path.cwd().is_relative_to(self.path.resolve()):
            raise ValueError(
                "The run's folder cannot be renamed while one works in it. "
                "Choose another folder, or start from outside of it. "
                f"Received: {str(self.path)!r}"
            )
        if os.name == "nt":
            # It renames no folder in which a file is open.
            self._release()
        aside = set_aside(self.path)
        self._release()
        self._lock = RunLock(self.path / "lock")
        self.say(f"The run that was there is {aside} now")

    def _check_known(self, name, now, what):
        """Notes what a run depends on, or refuses what is not the same."""
        known = read_json(self.path / name)
        is_bound = self._has_finished() or self.has_trained()
        if known is not None:
            found = "; ".join(differences(known, now))
            if not found:
                return
            if is_bound:
                raise ValueError(
                    f"{str(self.path)!r} holds a run with other {what} "
                    f"({found}). Put them back as they were, choose another "
                    f"folder, or {BEGIN_ANEW}."
                )
            # A start that failed, with what was wrong.
            self._notes.append(
                f"Nothing was trained with the {what} that were there: they "
                f"are replaced ({found})"
            )
        elif is_bound and what == "inputs":
            self._notes.append(
                "The run was begun by an earlier version, which did not note "
                "its inputs: they are taken to be the same"
            )
        if self.writes:
            write_json(self.path / name, now)

    def _has_finished(self):
        """Whether an earlier start came to its end."""
        return any(
            isinstance(start, dict) and start.get("status") == "finished"
            for start in self._record["starts"]
        )

    def _read_record(self):
        self._record = read_json(self.path / "run.json") or {}
        if not isinstance(self._record.setdefault("starts", []), list):
            raise ValueError(
                f"{self.path / 'run.json'} is damaged: 'starts' is no list. "
                "Remove it."
            )

    def _begin_record(self):
        starts = self._record["starts"]
        self._start = {
            "started": _now(),
            "ended": None,
            "status": "running",
            "command": self.command,
            "folder": os.getcwd(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "versions": _versions(),
        }
        if starts and isinstance(starts[-1], dict):
            self._compare_versions(starts[-1].get("versions"))
        self.say(*self._notes)
        starts.append(self._start)
        if self.writes:
            write_json(self.path / "run.json", self._record)

    def _compare_versions(self, before):
        now = self._start["versions"]
        if isinstance(before, dict) and before != now:
            self.say(
                "Since this run was last started, versions have changed "
                f"({'; '.join(differences(before, now))}): what follows may "
                "differ in the last digits"
            )

    def _release(self):
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class StageFolder:
    """The folder of one stage: checkpoints, then its result and weights."""

    def __init__(self, path, writes=True):
        self.path = path
        self.checkpoints = checkpoints.Checkpoints(path)
        self._writes = writes
        self._result = path / "result.json"
        self._weights = path / "student.safetensors"

    def is_done(self):
        """Whether the stage is finished."""
        return self._result.is_file()

    def has_trained(self):
        """Whether more is here than what the stage started from."""
        return self.is_done() or self.checkpoints.has_trained()

    def write_checkpoint(self, state):
        """Writes a state to go on from."""
        if self._writes:
            self.checkpoints.write(state)

    def forget_checkpoints(self):
        """Removes all checkpoints, of a start in which nothing was trained."""
        if self._writes:
            self.checkpoints.remove()

    def finish(self, result, student, description):
        """Writes what the stage leaves, and marks it finished."""
        if not self._writes:
            return
        values = checkpoints.read_variables(student.variables)
        data = checkpoints.pack({"variables": values})
        with replaced_file(self._weights) as temporary:
            temporary.write_bytes(data)
        # Second, since this file is what marks the stage as finished.
        content = {
            **dataclasses.asdict(result),
            "stage": description,
            "sha256": bytes_hash(data),
        }
        write_json(self._result, content)
        self.checkpoints.remove()

    def load(self, student, description):
        """Gives a student the weights that the finished stage left."""
        content = {**_LATER, **read_json(self._result)}
        is_known = check_same_stage(content.get("stage"), description)
        self._check_kinds(content)
        checkpoints.assign_variables(
            student.variables,
            self._read_weights(content.get("sha256")),
            f"student of stage '{description['name']}'",
        )
        # A kill may have come before they were removed.
        if self._writes:
            self.checkpoints.remove()
        result = StageResult(
            **{
                name: content[name] and _with_nan(content[name])
                for name in _KINDS
            }
        )
        return result, is_known

    def _check_kinds(self, content):
        for name, kind in _KINDS.items():
            if name not in content or not isinstance(content[name], kind):
                raise ValueError(
                    f"{self._result} is damaged: {name!r} is "
                    f"{content.get(name, 'missing')!r}. {self._way_out()}"
                )

    def _read_weights(self, expected_hash):
        if not self._weights.is_file():
            raise ValueError(f"{self._weights} is missing. {self._way_out()}")
        data = self._weights.read_bytes()
        if bytes_hash(data) != expected_hash:
            raise ValueError(
                f"{self._weights} is damaged: its content is not what was "
                f"written. {self._way_out()}"
            )
        return checkpoints.unpack(data)["variables"]

    def _way_out(self):
        return f"Remove the folder {self.path} to do its stage anew."


def is_chief():
    """Whether this process writes for all that train together."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.process_index() == 0
    config = json.loads(os.environ.get("TF_CONFIG", "{}"))
    task = config.get("task", {})
    if "chief" in config.get("cluster", {}):
        return task.get("type") == "chief"
    return int(task.get("index", 0)) == 0


def _is_run(path):
    """Whether a run was begun in a folder."""
    # The lock comes first and stays; who copies a run may leave it out.
    return (path / "lock").is_file() or (path / "run.json").is_file()


def _plain(content):
    """As it will be when it is read again: without tuples and the like."""
    return plain(json.loads(json.dumps(content)))


def _with_nan(content):
    """Numbers as they were, where JSON has `null` for what is no number."""
    if isinstance(content, dict):
        return {name: _with_nan(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_with_nan(value) for value in content]
    return math.nan if content is None else content


def _now():
    return datetime.datetime.now().isoformat(" ", "seconds")


def _versions():
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
