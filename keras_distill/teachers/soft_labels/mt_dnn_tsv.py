"""The TSV of MT-DNN's own code, with a soft label in each row.

It has no header: `uid`, `label`, `premise`, for pairs `hypothesis`, and behind
it the numbers of all classes with spaces between them. MT-DNN itself writes
that of class 1 alone, of two.
"""

from keras_distill.data.readers.text_lines import read_lines
from keras_distill.teachers.soft_labels.rows import Rows
from keras_distill.teachers.soft_labels.rows import as_number
from keras_distill.teachers.soft_labels.rows import ids_of_text

# Id, label, one or two texts, soft label.
_FIELDS = (4, 5)


def read(path, label_names=None):
    """The rows of a file, whose classes have no names."""
    ids, values, lines, width = [], [], [], None
    for number, text in read_lines(path):
        if not text.strip():
            continue
        fields = text.split("\t")
        width = width or len(fields)
        if len(fields) not in _FIELDS or len(fields) != width:
            raise ValueError(
                f"{path}:{number}: a line must have an id, a label, one or two "
                "texts and a soft label, as many as the line before. "
                f"Received: {len(fields)} fields."
            )
        ids.append(fields[0])
        try:
            found = [
                as_number(one, "the soft label") for one in fields[-1].split()
            ]
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from error
        if len(found) == 1 and len(label_names or ()) == 2:
            found = [1 - found[0], found[0]]
        values.append(found)
        lines.append(number)
    return Rows(
        ids_of_text(ids), values, None, lambda row: f"{path}:{lines[row]}"
    )


def write(path, soft_labels, examples=None):
    """Writes a file, with the labels and texts of examples."""
    labels = None if examples is None else examples.labels
    if labels is None or labels.ndim > 1:
        raise ValueError(
            "MT-DNN's TSV holds texts and one label of each beside the soft "
            "ones. Received: no `examples` with labels. Pass those that the "
            "ids are of."
        )
    places = {one: row for row, one in enumerate(examples.ids.tolist())}
    missing = [one for one in soft_labels.ids.tolist() if one not in places]
    if missing:
        raise ValueError(
            f"`examples` must have a row for each id. Missing: {missing[0]!r}."
        )
    names = soft_labels.label_names
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for one, values in zip(
            soft_labels.ids.tolist(), soft_labels.values.tolist(), strict=True
        ):
            row = places[one]
            label = labels[row].item()
            if names is not None:
                label = names[label]
            fields = [one, label, *(column[row] for column in examples.texts)]
            # What parts fields and lines becomes a space.
            fields = [" ".join(str(field).split()) for field in fields]
            soft = " ".join(map(repr, values))
            file.write("\t".join([*fields, soft]) + "\n")
