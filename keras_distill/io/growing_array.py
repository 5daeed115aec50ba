"""An array on disk that is written while its length is not known."""

import numpy as np


class GrowingArray:
    """A `.npy` file of one dimension that grows at its end.

    The file is whole once the block has ended, and `numpy.load` reads it,
    also by `mmap_mode`.

    Args:
        path: Path of the file.
        dtype: dtype of the numbers.

    Example:

    >>> import numpy as np
    >>> from keras_distill.io.growing_array import GrowingArray
    >>> with GrowingArray("numbers.npy", "int32") as array:
    ...     array.append([1, 2])
    ...     array.append([3])
    >>> np.load("numbers.npy")
    array([1, 2, 3], dtype=int32)
    """

    def __init__(self, path, dtype):
        self._dtype = np.dtype(dtype)
        self._length = 0
        self._file = open(path, "wb")  # noqa: SIM115
        # NumPy leaves room in it for the greatest length.
        self._write_header()

    def append(self, values):
        """Writes values behind those that are there."""
        values = np.ascontiguousarray(values, self._dtype)
        self._file.write(values.tobytes())
        self._length += len(values)

    def _write_header(self):
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._length,),
            },
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with self._file:
            self._file.seek(0)
            self._write_header()
