"""How files of rows are read."""

import dataclasses

from keras_distill.data.readers.bad_rows import BadRows
from keras_distill.data.readers.text_lines import check_encoding


@dataclasses.dataclass(frozen=True)
class Reading:
    """How files are read; as the arguments of `load_folder`."""

    encoding: str | None = None
    quoting: bool | None = None
    skip_bad_rows: bool = False
    id_column: str | None = None

    def __post_init__(self):
        check_encoding(self.encoding)
        BadRows("", self.skip_bad_rows)
        if self.id_column is not None and (
            not isinstance(self.id_column, str) or not self.id_column
        ):
            raise ValueError(
                "`id_column` must be the name of a column. Received: "
                f"id_column={self.id_column!r}."
            )
        if self.quoting not in (None, True, False):
            raise ValueError(
                "`quoting` must be True, False or None. Received: "
                f"quoting={self.quoting!r}."
            )
