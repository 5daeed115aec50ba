"""The folder of one stage of a run."""

import contextlib
import dataclasses
import hashlib
import json

from keras_distill.io.json_file import differences
from keras_distill.io.json_file import read_json
from keras_distill.io.json_file import write_json
from keras_distill.io.saving import replaced_file
from keras_distill.stages import variables
from keras_distill.stages.checkpoints import Checkpoints
from keras_distill.stages.packed_state import pack
from keras_distill.stages.packed_state import unpack
from keras_distill.stages.stage_result import StageResult
from keras_distill.stages.weights_identity import is_same_start

# The way out where a folder holds something else.
BEGIN_ANEW = (
    "begin anew with `resume=False` (`--no-resume` on a command line), which "
    "keeps the run that is there beside the new one"
)

# What each field of a result must be in JSON.
_KINDS = {
    "history": dict,
    "seconds": (int, float),
    "best": (dict, type(None)),
    "start": (dict, type(None)),
}
# Those that earlier versions did not write.
_LATER = {"start": None}


class StageFolder:
    """The folder of one stage: checkpoints, then its result and weights.

    Args:
        path: `pathlib.Path`.
        writes: bool. Whether this process writes; others only read.

    Attributes:
        checkpoints: `Checkpoints`.
    """

    def __init__(self, path, writes=True):
        self.path = path
        self.checkpoints = Checkpoints(path)
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
        """Writes a state to go on from.

        Args:
            state: What `packed_state.pack` takes.
        """
        if self._writes:
            self.checkpoints.write(state)

    def forget_checkpoints(self):
        """Removes all checkpoints, of a start in which nothing was trained."""
        if self._writes:
            self.checkpoints.remove()

    def finish(self, result, student, description):
        """Writes what the stage leaves, and marks it finished.

        Args:
            result: `StageResult`.
            student: `keras.Model` that was trained. All its variables are
                kept, the states of its random generators among them.
            description: dict. What the stage was.
        """
        if not self._writes:
            return
        data = pack({"variables": variables.read(student.variables)})
        with replaced_file(self._weights) as temporary:
            temporary.write_bytes(data)
        # Second, since this file is what marks the stage as finished.
        content = {
            **dataclasses.asdict(result),
            "stage": description,
            "sha256": _hash(data),
        }
        write_json(self._result, content)
        self.checkpoints.remove()

    def load(self, student, description):
        """Gives a student the weights that the finished stage left.

        Args:
            student: `keras.Model`, built as it was for the stage.
            description: dict. What the stage is now.

        Returns:
            `StageResult`, and what `check_same_stage` returned.

        Raises:
            ValueError: If a file is damaged, or is of another stage.
        """
        content = {**_LATER, **read_json(self._result)}
        is_known = check_same_stage(content.get("stage"), description)
        self._check_kinds(content)
        variables.assign(
            student.variables,
            self._read_weights(content.get("sha256")),
            f"student of stage '{description['name']}'",
        )
        # A kill may have come before they were removed.
        if self._writes:
            self.checkpoints.remove()
        result = StageResult(**{name: content[name] for name in _KINDS})
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
        if _hash(data) != expected_hash:
            raise ValueError(
                f"{self._weights} is damaged: its content is not what was "
                f"written. {self._way_out()}"
            )
        return unpack(data)["variables"]

    def _way_out(self):
        return f"Remove the folder {self.path} to do its stage anew."


def check_same_stage(there, now):
    """Refuses a state of a stage that was another one.

    What an earlier version wrote has no identity: then all that it noted must
    be the same.

    Args:
        there: dict, the stage's description when the state was written.
        now: dict, its description now.

    Returns:
        bool. Whether it is known to be the same; `False` if an earlier
        version did not note enough.

    Raises:
        ValueError: If they differ, with the differences.
    """
    if not isinstance(there, dict):
        raise ValueError(
            f"What is saved of stage '{now['name']}' does not say what the "
            "stage was. Remove its folder to do it anew."
        )
    there = json.loads(json.dumps(there))
    now = json.loads(json.dumps(now))
    old, new = there.pop("identity", None), now.pop("identity", None)
    found = differences(there, now)
    advice = ""
    if old is not None and new is not None:
        _forgive(old, new)
        found += differences(old, new)
        if old.get("start") != new.get("start"):
            advice = (
                " (A start from random numbers is the same if "
                "`keras.utils.set_random_seed` is called with the same number "
                "before the models are made.)"
            )
    if not found:
        return old is not None
    raise ValueError(
        f"Stage '{now['name']}' has changed since the run began "
        f"({'; '.join(found)}).{advice} Put it back as it was, choose "
        f"another folder for the run, or {BEGIN_ANEW}."
    )


def _forgive(old, new):
    """Makes those parts the same that cannot be compared, or need not be."""
    with contextlib.suppress(AttributeError, LookupError, TypeError):
        if is_same_start(old["start"], new["start"]):
            old["start"] = new["start"]
        old["start"]["seeded"] = new["start"]["seeded"]
    with contextlib.suppress(AttributeError, LookupError, TypeError):
        if old["code"]["python"] != new["code"]["python"]:
            # The same code is other bytes there.
            old["code"] = new["code"]


def _hash(data):
    return hashlib.sha256(data).hexdigest()
