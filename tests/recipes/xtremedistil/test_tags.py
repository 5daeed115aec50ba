"""Tags of words, in several languages."""

import json

import keras_hub
import pytest

from keras_distill import export
from keras_distill import tasks
from recipes.common.reading import read_task
from recipes.common.task_data import TaskData
from recipes.xtremedistil import targets
from recipes.xtremedistil.__main__ import main
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.config import Config


def tagged(*languages):
    """Data of tags with a sentence in each language, seen twice."""
    examples = tasks.TaggedExamples(
        [["anna", "sings"]] * len(languages),
        [[1, 0]] * len(languages),
        languages,
    )
    task = tasks.tagging_task("names", tasks.WIKIANN_TAGS)
    return TaskData(task, examples, examples)


@pytest.mark.parametrize(
    "tag, names",
    [
        ("B-LOC", tasks.WIKIANN_TAGS),
        ("I-FILM", ("O", "B-FILM", "I-FILM", "B-PER", "I-PER")),
    ],
)
def test_tags_are_those_of_the_files(tmp_path, tag, names):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    (tmp_path / "names/en").mkdir(parents=True)
    for split in ("train", "dev"):
        path = tmp_path / f"names/en/{split}.tsv"
        path.write_text(f"anna\tB-PER\nsings\tO\n\nup\t{tag}\n")
    config = Config(source="names:en", data_dir=tmp_path)
    task, splits = read_task("names:en", config)
    assert task.label_names == names
    assert [names[label] for label in splits["train"].labels[1]] == [tag]


def test_tags_have_no_pairs(tmp_path):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("anna sings\tin oslo\n")
    checks = Checks()
    checks._tasks["names:en"] = tagged("en").task
    config = Config(
        source="names:en", transfer=str(pairs), transfer_columns="0,1"
    )
    with pytest.raises(ValueError, match="must name one column for names:en"):
        checks.check(config)


def test_tags_of_a_target_are_shown_by_language(make_token_classifier):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    model = make_token_classifier()
    data = tagged("en", "no").tokenize(model.preprocessor.tokenizer, 16)
    assert list(data.score(model)["languages"]) == ["en", "no"]
    assert "languages" not in data.measure(model)
    page = targets.page(
        [
            {
                "target": "names:en,no",
                "metric": "phrase_f1",
                "dev": "dev",
                "examples": 2,
                "models": {targets.TRANSFERRED: data.score(model)},
            }
        ]
    )
    assert "names:en,no, by language:" in page
    assert "| no | " in page


def test_tags_in_two_languages(
    stage_names, tmp_path, make_token_classifier, capsys, all_eager, untimed
):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    sentences = {
        "en": "anna\tB-PER\nsings\tO\nin\tO\noslo\tB-LOC\n\nmeyrick\tB-PER\n",
        "no": "anna\tB-PER\nand\tO\nmeyrick\tB-PER\n\noslo\tB-LOC\n",
    }
    for language, text in sentences.items():
        for split in ("train", "dev"):
            path = tmp_path / "data/ner/wikiann" / language / f"{split}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((text + "\n") * 4)
    teacher = make_token_classifier(num_layers=1)
    export.to_encoder_preset(teacher, tmp_path / "encoder")
    arguments = [
        *("--source", "wikiann:en,no", "--data-dir", str(tmp_path / "data")),
        *("--teacher", str(tmp_path / "encoder"), "--student", "1x8x2"),
        *("--run-dir", str(tmp_path / "run"), "--sequence-length", "16"),
        *("--teacher-epochs", "6", "--teacher-rate", "3e-2"),
        *("--patience", "6", "--batch-size", "16"),
        *("--representation-epochs", "1", "--logits-epochs", "1"),
        *("--labels-epochs", "1", "--unfreezing", "encoder"),
    ]
    assert main(arguments) == 0
    assert "mean over languages" in capsys.readouterr().out
    run = tmp_path / "run"
    names = {path.name for path in (run / "stages").iterdir()}
    assert names == {
        "teacher",
        *(set(stage_names) - {"logits-projection", "labels-projection"}),
    }
    found = json.loads((run / "result.json").read_text())
    assert list(found["teacher"]["languages"]) == ["en", "no"]
    assert found["teacher"]["phrase_f1"] > 0.5
    table = (run / "languages.md").read_text()
    assert "| dev split, phrase F1 × 100 | teacher | student |" in table
    encoder = keras_hub.models.Backbone.from_preset(str(run / "student"))
    assert encoder.num_layers == 1
