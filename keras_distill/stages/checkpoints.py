"""The last states of a training, on disk."""

import hashlib
import re

from keras_distill.io.saving import UNFINISHED
from keras_distill.io.saving import replaced_file
from keras_distill.stages.packed_state import pack
from keras_distill.stages.packed_state import unpack

_NAME = re.compile(r"checkpoint-(?P<number>\d{6,})-(?P<hash>[0-9a-f]{64})\..*")


class Checkpoints:
    """The last two states of a training, in a folder.

    A state is one file, written under a temporary name and renamed; its name
    holds the SHA-256 of its content, so that nothing damaged is ever read.

    Args:
        folder: `pathlib.Path`. Made with the first checkpoint.
    """

    def __init__(self, folder):
        self._folder = folder
        self._last = None

    def write(self, state):
        """Writes a state, and removes all but the one before.

        Args:
            state: What `packed_state.pack` takes.

        Raises:
            OSError: If there is no room. What was there before stays.
        """
        data = pack(state)
        number = max((n for n, _ in self._numbered()), default=0) + 1
        path = self._folder / (
            f"checkpoint-{number:06d}-{_hash(data)}.safetensors"
        )
        with replaced_file(path) as temporary:
            temporary.write_bytes(data)
        self._remove_all_but(self._last, path)
        self._last = path

    def read(self):
        """Reads the newest state that is whole.

        Returns:
            The state, or `None` if none was written; and a list with a
            sentence for each newer file that is damaged.

        Raises:
            ValueError: If there are files, all of them damaged.
        """
        complaints = []
        for _, path in sorted(self._numbered(), reverse=True):
            try:
                state = _read(path)
            except ValueError as error:
                complaints.append(str(error))
            else:
                self._last = path
                return state, complaints
        if complaints:
            raise ValueError(
                f"{' '.join(complaints)} There is no earlier checkpoint left: "
                f"remove the folder {self._folder} to begin its stage anew."
            )
        return None, []

    def has_trained(self):
        """Whether there is more than the first one, that of the start."""
        return any(number > 1 for number, _ in self._numbered())

    def remove(self):
        """Removes all checkpoints."""
        self._remove_all_but()

    def _numbered(self):
        """Pairs of number and path, in no order."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match:
                    yield int(match["number"]), path

    def _remove_all_but(self, *kept):
        unfinished = self._folder.glob(f"{UNFINISHED}checkpoint-*")
        for path in (*unfinished, *(path for _, path in self._numbered())):
            if path not in kept:
                path.unlink(missing_ok=True)


def _read(path):
    data = path.read_bytes()
    if _hash(data) != _NAME.fullmatch(path.name)["hash"]:
        raise ValueError(
            f"The checkpoint {path} is damaged: its content is not what was "
            "written."
        )
    try:
        return unpack(data)
    except ValueError as error:
        raise ValueError(
            f"The checkpoint {path} is damaged: {error}."
        ) from error


def _hash(data):
    return hashlib.sha256(data).hexdigest()
