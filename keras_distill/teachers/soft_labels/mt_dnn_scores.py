"""The scores of MT-DNN's own code, one JSON object.

`{"metrics": ..., "predictions": [...], "uids": [...], "scores": [...]}`, in
which `scores` has the numbers of all classes of a row one after the other.
"""

import json

from keras_distill.teachers.soft_labels.rows import Rows
from keras_distill.teachers.soft_labels.rows import as_number
from keras_distill.teachers.soft_labels.rows import ids_of_text


def read(path, label_names=None):
    """The rows of a file, whose classes have no names."""
    del label_names
    try:
        content = json.loads(path.read_bytes())
    # Brackets in brackets without end break the parser this way.
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path} is no JSON ({error}).") from error
    lists = content if isinstance(content, dict) else {}
    ids, scores = lists.get("uids"), lists.get("scores")
    if not isinstance(ids, list) or not isinstance(scores, list):
        raise ValueError(
            f"{path} must be an object with lists `uids` and `scores`, as "
            "MT-DNN writes its scores; rows of an object each are JSON lines, "
            f"in a file that ends in .jsonl. Received: {', '.join(lists)}."
        )
    if not ids or not scores or len(scores) % len(ids):
        raise ValueError(
            f"{path} must have as many scores for each of its uids. Received: "
            f"{len(scores)} scores of {len(ids)} uids."
        )
    width = len(scores) // len(ids)

    def place(row):
        return f"{path}, row {row}"

    values = []
    for row in range(len(ids)):
        found = scores[row * width : (row + 1) * width]
        values.append([as_number(v, f"{place(row)}: a score") for v in found])
    return Rows(ids_of_text(ids), values, None, place)


def write(path, soft_labels):
    """Writes a file."""
    values = soft_labels.values
    is_score = soft_labels.problem_type == "regression"
    best = values[:, 0] if is_score else values.argmax(axis=1)
    content = {
        "metrics": {},
        "predictions": best.tolist(),
        "uids": soft_labels.ids.tolist(),
        "scores": values.reshape(-1).tolist(),
    }
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
