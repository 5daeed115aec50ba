import json
import math
import pathlib

import numpy as np

from keras_distill.io.json_file import plain


def test_what_json_holds_comes_back():
    value = {
        "int": np.int64(3),
        "float": np.float32(0.5),
        "nan": math.nan,
        "infinite": np.float64("inf"),
        "path": pathlib.PurePosixPath("a/b"),
        "nested": (True, None, [1, 2.5], {7: "seven"}),
    }
    found = plain(value)
    assert found == {
        "int": 3,
        "float": 0.5,
        "nan": None,
        "infinite": None,
        "path": "a/b",
        "nested": [True, None, [1, 2.5], {"7": "seven"}],
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found
