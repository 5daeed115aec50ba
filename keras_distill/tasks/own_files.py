"""The files of people's own data: one, or one for each split."""

import dataclasses
import pathlib

from keras_distill.data.readers import jsonl
from keras_distill.data.readers.column_names import find_column
from keras_distill.data.readers.reading import Reading
from keras_distill.data.readers.tables import SPLITS
from keras_distill.data.readers.tables import TABLE_ENDINGS
from keras_distill.data.readers.tables import column_names
from keras_distill.data.readers.tables import find_tables
from keras_distill.data.readers.tables import is_json
from keras_distill.data.readers.tables import is_table
from keras_distill.data.readers.tables import unread_table
from keras_distill.data.readers.tag_schemes import is_tag
from keras_distill.data.readers.tagged_json import find_words
from keras_distill.data.readers.tagged_words import TAGGED_ENDINGS
from keras_distill.data.readers.tsv import listing
from keras_distill.io.saving import local_path

_ENDINGS = (*TABLE_ENDINGS, *TAGGED_ENDINGS)


@dataclasses.dataclass(frozen=True)
class OwnFiles:
    """The files of people's own data, and how they are read.

    Attributes:
        path: `pathlib.Path`. What was given.
        files: dict of split name to `pathlib.Path`; `"train"` is there.
        reading: `Reading`.
    """

    path: pathlib.Path
    files: dict
    reading: Reading

    @classmethod
    def find(cls, path, reading, may_be_text=False):
        """Finds the files of a path.

        Args:
            path: string or path of a file, or of a folder with files that are
                named as their splits; or dict of split name to such a file.
            reading: `Reading`.
            may_be_text: bool. Whether they may end in `.txt`, as files of
                tagged words do. Defaults to `False`.

        Returns:
            `OwnFiles`.

        Raises:
            ValueError: no such file or folder, or one of another kind.
        """
        endings = (*_ENDINGS, ".txt") if may_be_text else _ENDINGS
        if isinstance(path, dict):
            files = _named_files(path, endings)
            return cls(files["train"].parent, files, reading)
        path = local_path(path)
        if path.is_file():
            _check_ending(path, endings)
            return cls(path, {"train": path}, reading)
        if not path.is_dir():
            beside = ""
            if path.parent.is_dir():
                beside = f"; {path.parent} holds {listing(path.parent)}"
            raise ValueError(
                f"`path` must be a file or a folder. Received: {str(path)!r}, "
                f"which is not there{beside}."
            )
        files = find_tables(path, endings)
        if "train" not in files:
            raise ValueError(
                "`path` must be a folder with a file train that ends in "
                f"{', '.join(endings)}, plain or .gz. Received: {str(path)!r}, "
                f"which holds {listing(path)}."
            )
        return cls(path, files, reading)

    @property
    def train(self):
        """The file to train on."""
        return self.files["train"]

    @property
    def name(self):
        """What the task is called."""
        name = self.path.resolve().name
        if self.path.is_dir():
            return name
        return name.removesuffix(".gz").rpartition(".")[0] or name

    @property
    def source(self):
        """Where the files are and what is there, for messages."""
        if self.path.is_dir():
            return f"{self.path}, which holds {listing(self.path)}"
        return str(self.path)

    def column_names(self, wanted=()):
        """The names of the columns of `train`.

        Args:
            wanted: sequence of str. Columns that may be there. Defaults to
                `()`.
        """
        return column_names(
            self.train, self.reading.encoding, self.reading.quoting, wanted
        )

    def holds_tagged_words(self, text_columns=None, label_column=None):
        """Whether `train` shows that it holds words with tags.

        Args:
            text_columns: tuple of str. Defaults to `None`: not known.
            label_column: str. Defaults to `None`: not known.
        """
        if not is_table(self.train):
            return True
        if is_json(self.train):
            row = jsonl.read_first(self.train, self.reading.encoding)
            if text_columns is None:
                return bool(find_words(row))
            names, values = list(row), list(row.values())
            places = [find_column(names, column) for column in text_columns]
            return any(
                place is not None and isinstance(values[place], list)
                for place in places
            )
        if text_columns is not None or label_column is not None:
            return False
        # A file of words has no header: its first line has a tag.
        return is_tag(self.column_names()[-1].strip())


def _named_files(paths, endings):
    """The files that are given for splits by name."""
    unknown = [name for name in paths if name not in SPLITS]
    if unknown or "train" not in paths:
        raise ValueError(
            f"`path` must name files of {', '.join(SPLITS)}, train among them. "
            f"Received: {', '.join(map(repr, paths)) or 'none'}."
        )
    files = {}
    for split in SPLITS:
        if split not in paths:
            continue
        files[split] = file = local_path(paths[split])
        if not file.is_file():
            raise ValueError(
                f"`path` must name files. Received: {str(file)!r} for {split}, "
                f"which is {'a folder' if file.is_dir() else 'not there'}."
            )
        _check_ending(file, endings)
    return files


def _check_ending(path, endings):
    """Raises on a file that is read by none."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(endings):
        return
    hint = unread_table(path)
    if name.endswith(".txt"):
        hint = (
            'pass `kind="tagging"` (--kind tagging) if each line has a word '
            "and its tag, or rename it to .tsv or .csv if it is a table"
        )
    raise ValueError(
        f"`path` must end in {', '.join(endings)}, plain or .gz. Received: "
        f"{str(path)!r}{'; ' + hint if hint else ''}."
    )
