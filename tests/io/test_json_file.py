import json
import math
import pathlib

import numpy as np

from keras_distill.io.json_file import plain
from keras_distill.io.json_file import read_json
from keras_distill.io.json_file import write_json


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


def test_a_file_has_null_for_what_is_no_number(tmp_path):
    path = tmp_path / "scores.json"
    write_json(path, {"accuracy": np.float32(0.5), "f1": math.nan})
    assert read_json(path) == {"accuracy": 0.5, "f1": None}
    assert path.read_text() == '{\n  "accuracy": 0.5,\n  "f1": null\n}\n'
