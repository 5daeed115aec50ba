"""Sentences of a paragraph as the candidates of a question about it."""

import gzip
import json

import pytest

from keras_distill import tasks

TEXT = "Ada wrote it in St. Louis. It was long. Bo read it. Bo read it."
OTHER = "One sentence alone"


def question(text, answer=None, number=0, context=TEXT, **changes):
    answers = []
    if answer is not None:
        answers = [{"text": answer, "answer_start": context.index(answer)}]
    return {"id": f"{number}", "question": text, "answers": answers, **changes}


def write(path, *paragraphs):
    """Paragraphs, each a text and its questions, as two articles."""
    data = [
        {"title": "t", "paragraphs": [{"context": context, "qas": questions}]}
        for context, questions in paragraphs
    ]
    path.write_text(json.dumps({"version": "v2.0", "data": data}))
    return path


@pytest.fixture
def file(tmp_path):
    return write(
        tmp_path / "squad-v2.0.json",
        (
            TEXT,
            [
                question("how long?", "long", 1),
                # Cut after "St." within the answer, or not cut at all.
                question("where?", "St. Louis", 2),
                question("who danced?", None, 3, is_impossible=True),
                question("who read it?", "Bo", 4),
            ],
        ),
        (OTHER, [question("what?", "sentence", 5, OTHER)]),
        (TEXT, [question("who wrote it?", "Ada", 6)]),
    )


def test_candidates(file):
    task, splits = tasks.load_squad_ranking(file, dev_share=0.3, seed=1)
    assert task == tasks.get_task("qnli_ranking")
    assert list(splits) == ["train", "dev"]
    rows = [splits[name] for name in splits]
    texts = [pair for part in rows for pair in zip(*part.texts, strict=True)]
    labels = [label for part in rows for label in part.labels]
    first = "Ada wrote it in St. Louis."
    found = {}
    for (query, sentence), label in zip(texts, labels, strict=True):
        found.setdefault(query, []).append((sentence, bool(label > 0)))
    assert found == {
        "how long?": [
            ("It was long.", True),
            (first, False),
            ("Bo read it.", False),
            ("Bo read it.", False),
        ],
        "where?": [
            (first, True),
            ("It was long.", False),
            ("Bo read it.", False),
            ("Bo read it.", False),
        ],
        # What reads as the right one is not wrong.
        "who read it?": [
            ("Bo read it.", True),
            (first, False),
            ("It was long.", False),
        ],
        "who wrote it?": [
            (first, True),
            ("It was long.", False),
            ("Bo read it.", False),
            ("Bo read it.", False),
        ],
    }


def test_drawn_negatives_and_own_dev_split(tmp_path, file):
    folder = tmp_path / "squad"
    folder.mkdir()
    with gzip.open(folder / "train-v2.0.json.gz", "wb") as out:
        out.write(file.read_bytes())
    write(folder / "dev-v2.0.json", (TEXT, [question("how long?", "long")]))
    _, splits = tasks.load_squad_ranking(folder, num_negatives=1)
    assert splits["train"].labels.tolist() == [1, -1, 2, -2, 3, -3, 4, -4]
    assert splits["dev"].labels.tolist() == [1, -1, -1, -1]
    every = tasks.load_squad_ranking(folder)[1]["train"]
    assert every.ids.tolist()[:5] == ["1/0", "1/1", "1/2", "1/3", "2/0"]
    known = dict(zip(every.ids, zip(*every.texts, strict=True), strict=True))
    pairs = zip(*splits["train"].texts, strict=True)
    assert [known[row] for row in splits["train"].ids] == list(pairs)
    again = tasks.load_squad_ranking(folder, num_negatives=1)[1]["train"]
    assert again.texts == splits["train"].texts
    # By its name, from a folder of many.
    _, splits = tasks.load("qnli_ranking", tmp_path)
    assert len(splits["train"]) == 15


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", ":1: the file is not JSON"),
        ("[]", "the file must be an object with a list 'data'"),
        ('{"data": [{}]}', r"data\[0\] must be an object with a list 'para"),
        (
            '{"data": [{"paragraphs": [{"qas": []}]}]}',
            r"data\[0\].paragraphs\[0\] must have a text 'context'",
        ),
        ('{"data": []}', "the file has no question"),
    ],
)
def test_files_that_are_none(tmp_path, content, message):
    path = tmp_path / "train.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        tasks.load_squad_ranking(path)[1]["train"]


def test_bad_questions(tmp_path, capsys):
    path = write(
        tmp_path / "squad.json",
        (TEXT, [question("a", "long", 1), question(" ", "long", 2)]),
        (TEXT, [{"question": "b", "answers": [{"text": "x"}]}]),
        (TEXT, [question("c", "long", answers=[_answer("long", 3)])]),
        (TEXT, ["d", question("e", "long", 3)]),
    )
    with pytest.raises(ValueError, match=r"json:data\[0\].*qas\[1\]: the ques"):
        tasks.load_squad_ranking(path)[1]["train"]
    _, splits = tasks.load_squad_ranking(path, skip_bad_rows=True)
    assert len(splits["train"]) + len(splits["dev"]) == 8
    told = capsys.readouterr().err
    assert f"left out 4 questions of {path}: data[0].paragraphs[0].qa" in told
    assert "a list of objects with" in told
    assert "the answer 'long' does not begin at character 3" in told


def _answer(text, start):
    return {"text": text, "answer_start": start}


def test_where_there_is_nothing_to_choose(tmp_path):
    path = write(tmp_path / "a.json", (OTHER, [question("x", "One", 1, OTHER)]))
    with pytest.raises(ValueError, match="a.json: no paragraph has two sent"):
        tasks.load_squad_ranking(path)[1]["train"]
    write(path, (TEXT, [question("how long?", "long")]))
    with pytest.raises(ValueError, match="a dev split needs paragraphs of its"):
        tasks.load_squad_ranking(path)[1]["train"]
    write(tmp_path / "train.json", (OTHER, [question("x", "One", 1, OTHER)]))
    write(tmp_path / "dev.json", (OTHER, [question("x", "One", 1, OTHER)]))
    _, splits = tasks.load_squad_ranking(tmp_path)
    with pytest.raises(ValueError, match="train.json: no paragraph has two"):
        splits["train"]
    write(tmp_path / "train-v2.json")
    with pytest.raises(ValueError, match=r"one file train\*.json. Received"):
        tasks.load_squad_ranking(tmp_path)
    with pytest.raises(ValueError, match="which is not there"):
        tasks.load_squad_ranking(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"must hold train\*.json or squad"):
        tasks.load_squad_ranking(tmp_path / "empty")
