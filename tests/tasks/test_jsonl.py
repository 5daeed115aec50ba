"""Files of one JSON object a line, good and bad."""

import gzip

import pytest

from keras_distill.tasks import jsonl


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="a.jsonl"):
        path = tmp_path / name
        data = "".join(line + "\n" for line in lines).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return write


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_values_are_text(write, name):
    path = write(
        '{"text": "a \\"good\\"\\tfilm", "label": true, "id": 7}',
        '{"label": 0.50, "id": null, "text": "caf\\u00e9"}',
        name=name,
    )
    assert jsonl.read_names(path) == ["text", "label", "id"]
    assert list(jsonl.read_columns(path, ["label", "text"])) == [
        (1, ["true", 'a "good"\tfilm']),
        (2, ["0.5", "café"]),
    ]


@pytest.mark.parametrize(
    "line, message",
    [
        ('{"text": "a"', "the line is not JSON"),
        ("", "the line is not JSON"),
        ("[" * 100_000, "the line is not JSON"),
        ('["a"]', "the line is not a JSON object"),
        ('"a"', "the line is not a JSON object"),
        ('{"txt": "a"}', "there is no 'text'; the names are: txt."),
        ('{"text": null}', "'text' is null, not a string."),
        ('{"text": ["a"]}', "'text' is [\"a\"], not a string."),
        ('{"text": "\\ud83d"}', "'text' holds half of a character."),
    ],
)
def test_bad_line(write, line, message):
    path = write('{"text": "a"}', line)
    with pytest.raises(ValueError) as error:
        list(jsonl.read_columns(path, ["text"]))
    assert str(error.value).startswith(f"{path}:2: {message}")


def test_empty_file(write):
    path = write()
    for read in (jsonl.read_names, lambda p: list(jsonl.read_columns(p, []))):
        with pytest.raises(ValueError, match=r"a\.jsonl:1: the file is empty"):
            read(path)
