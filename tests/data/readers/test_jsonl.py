"""Files of one JSON object a line, good and bad."""

import gzip
import json

import pytest

from keras_distill.data.readers import jsonl


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


def read(path):
    return list(jsonl.read_columns(path, ["text", "label"]))


def test_arrays_and_columns(tmp_path):
    path = tmp_path / "a.json"
    rows = [{"text": "a", "label": 0}, {" Text": "b", "label": 1}]
    path.write_text(json.dumps(rows))
    assert read(path) == [(1, ["a", "0"]), (1, ["b", "1"])]
    path.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    assert read(path) == [(2, ["a", "0"]), (3, ["b", "1"])]
    path.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    assert read(path) == [(1, ["a", "0"]), (3, ["b", "1"])]
    for columns in (
        {"text": {"0": "a", "1": "b"}, "label": {"0": 0, "1": 1}},
        {"text": ["a", "b"], "label": [0, 1]},
    ):
        path.write_text(json.dumps(columns))
        assert read(path) == [(1, ["a", "0"]), (1, ["b", "1"])]


@pytest.mark.parametrize(
    "text, line, message",
    [
        ('[{"text": "a", "label": 0},\n{"text": "b"', 2, "not JSON"),
        ('[{"text": "a", "label": 0},\n', 1, "never closed; the file was cut"),
        ('[{"text": "a", "label": 0}\n{"text": "b"}]', 2, "Expecting ','"),
        ("[\n1]", 2, "not a JSON object"),
        ('{"data": [{"text": "a"}], "n": 1}', 1, "there is no 'text'"),
        ('{"text": ["a"], "label": [0, 1]}', 1, "not rows"),
        ('{\n"text": "a"\n}', 1, "not rows"),
        ('[{"text": "a", "label": 0}] x', 1, "Extra data"),
    ],
)
def test_bad_documents(tmp_path, text, line, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"a\.json:{line}: .*{message}"):
        read(path)
