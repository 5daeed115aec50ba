"""MRPC as Microsoft gave it, which GLUE's download leaves in its folder.

`msr_paraphrase_train.txt` holds the rows of GLUE's train and dev splits;
`dev_ids.tsv` says by their two ids which are GLUE's dev split.
"""

from keras_distill.data.readers.text_lines import read_lines

# The columns of the two ids.
IDS = ("#1 ID", "#2 ID")


def find_splits(folder):
    """Looks for the original files, plain or `.gz`.

    Args:
        folder: `pathlib.Path`. The folder to look in.

    Returns:
        dict of split name to the path, and a function of a row's two ids that
        says whether the row is of the split, or `None` where all are. There
        is no dev split without `dev_ids.tsv`.
    """
    train, test, dev_ids = (
        _find(folder, name)
        for name in (
            "msr_paraphrase_train.txt",
            "msr_paraphrase_test.txt",
            "dev_ids.tsv",
        )
    )
    splits = {}
    if train and dev_ids:
        of_dev = {
            tuple(line.split("\t")) for _, line in read_lines(dev_ids) if line
        }
        splits["train"] = train, lambda ids: tuple(ids) not in of_dev
        splits["dev"] = train, lambda ids: tuple(ids) in of_dev
    elif train:
        splits["train"] = train, None
    if test:
        splits["test"] = test, None
    return splits


def _find(folder, name):
    paths = [folder / name, folder / f"{name}.gz"]
    return next((path for path in paths if path.is_file()), None)
