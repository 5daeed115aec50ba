"""The recipe from the command line, on tiny models and made-up tasks."""

import json

import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import losses
from keras_distill import stages
from keras_distill import tasks
from keras_distill import teachers
from recipes.xtremedistil import recipe
from recipes.xtremedistil import stage_list
from recipes.xtremedistil import targets
from recipes.xtremedistil.__main__ import build_parser
from recipes.xtremedistil.__main__ import main
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.config import split_names
from recipes.xtremedistil.labelled_task import read_task
from recipes.xtremedistil.new_head import from_its_start
from recipes.xtremedistil.new_head import with_new_head
from recipes.xtremedistil.trainer import TaskData
from recipes.xtremedistil.trainer import Trainer

STAGES = [
    "representation",
    *("logits-head", "logits-projection", "logits-encoder"),
    *("labels-head", "labels-projection", "labels-encoder"),
]


@pytest.fixture
def data_dir(glue_dir):
    """Besides SST-2: RTE, and MRPC without a dev split. No test is read."""
    pairs = [
        ("a good film", "the film is good", "entailment", 1),
        ("a dull plot", "the plot is dull", "entailment", 1),
        ("a good film", "the film is bad", "not_entailment", 0),
        ("a dull plot", "the plot is great", "not_entailment", 0),
    ]
    rte = ["index\tsentence1\tsentence2\tlabel"]
    mrpc = ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"]
    for number in range(24):
        one, two, name, label = pairs[number % 4]
        rte.append(f"{number}\t{one}\t{two}\t{name}")
        mrpc.append(f"{label}\t1\t2\t{one}\t{two}")
    for folder, split, lines in (
        ("RTE", "train", rte),
        ("RTE", "dev", rte),
        ("MRPC", "train", mrpc),
        ("RTE", "test", ["spoilt"]),
        ("MRPC", "test", ["spoilt"]),
        ("SST-2", "test", ["spoilt"]),
    ):
        path = glue_dir / folder / f"{split}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
    return glue_dir


@pytest.fixture
def options(data_dir, tmp_path):
    return [
        *("--source", "sst2", "--glue-dir", str(data_dir)),
        *("--run-dir", str(tmp_path / "run"), "--student", "1x8x2"),
        *("--representation-epochs", "1", "--logits-epochs", "1"),
        *("--labels-epochs", "1", "--target-epochs", "1"),
        *("--sequence-length", "16", "--batch-size", "8"),
    ]


@pytest.fixture
def arguments(options, teacher_dir):
    return [*options, "--teacher", str(teacher_dir)]


@pytest.fixture
def untrained(options, make_classifier, tmp_path):
    """The same with a teacher of random weights, which needs no training."""
    export.to_preset(make_classifier(num_layers=2), tmp_path / "untrained")
    return [
        *options,
        *("--teacher", str(tmp_path / "untrained")),
        "--allow-untrained-teacher",
    ]


def times(folder):
    """When each file of the stages of a run was written."""
    return {
        path: path.stat().st_mtime_ns
        for path in sorted(folder.rglob("stages/**/*"))
        if path.is_file()
    }


def test_end_to_end_and_once_more(arguments, data_dir, tmp_path, capsys):
    transfer = tmp_path / "texts.txt"
    transfer.write_text("a sad film\nthe story is funny\n\na great plot\n" * 9)
    arguments = [
        *arguments,
        *("--targets", "rte,mrpc", "--transfer", str(transfer)),
    ]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "27 unlabelled texts" in shown
    # Top-aligned, the embeddings with the layer below.
    assert "student embeddings <- teacher layer 1" in shown
    assert "student layer 1 <- teacher layer 2" in shown
    run = tmp_path / "run"
    of_targets = [
        f"{target}.{kind}"
        for target in ("rte", "mrpc")
        for kind in ("without-distillation", "fine-tuning")
    ]
    # Each stage changed the student.
    left = [
        (run / "stages" / name / "student.safetensors").read_bytes()
        for name in STAGES
    ]
    assert len(set(left)) == len(STAGES)
    # A teacher with a trained head needs no stage of its own.
    done = {path.name for path in (run / "stages").iterdir()}
    assert done == {*STAGES, *of_targets}

    report = json.loads((run / "report.json").read_text())
    assert list(report["histories"]) == [*STAGES, *of_targets]
    assert [row["name"] for row in report["comparison"]["rows"]] == [
        "teacher",
        "student",
    ]
    found = json.loads((run / "targets.json").read_text())
    assert [result["target"] for result in found] == ["rte", "mrpc"]
    for result in found:
        assert list(result["models"]) == [targets.BASELINE, targets.TRANSFERRED]
    assert found[1]["dev"] == "held-out part of the train"
    assert found[1]["examples"] == 2
    table = (run / "targets.md").read_text()
    assert "| dev split, × 100 | rte, accuracy | mrpc, accuracy |" in table
    assert (run / "report.html").is_file()

    # What it says of the test splits is that nobody read them.
    with pytest.raises(ValueError, match="test.tsv"):
        tasks.load("rte", data_dir)[1]["test"]

    # The encoder that was saved is the one that was measured.
    loaded = teachers.load_teacher(str(run / "student"), 5, 16)
    assert not loaded.has_head
    assert loaded.classifier.num_classes == 5
    assert loaded.classifier.backbone.num_layers == 1

    # Nothing is trained twice.
    before = times(run)
    assert main(arguments) == 0
    assert "'mrpc.fine-tuning' is done" in capsys.readouterr().out
    assert times(run) == before
    assert json.loads((run / "targets.json").read_text()) == found

    # Another setting does not fit into the folder.
    assert main([*arguments, "--seed", "2"]) == 2
    assert "seed: 1 there, 2 now" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_stopped_between_stages_ends_as_if_it_had_not(
    arguments, tmp_path, monkeypatch
):
    # Weights are compared, not reports.
    monkeypatch.setattr(recipe._Recipe, "_report", lambda self: {})
    arguments += ["--logits-epochs", "0", "--unfreezing", "none", "--quiet"]
    whole = [*arguments, "--run-dir", str(tmp_path / "whole")]
    assert main(whole) == 0

    list_stages = stage_list.distillation_stages

    def stop_at_second(*args):
        listed = list_stages(*args)

        def stop(steps):
            raise KeyboardInterrupt

        listed[1].optimizer = stop
        return listed

    with monkeypatch.context() as patch:
        patch.setattr(stage_list, "distillation_stages", stop_at_second)
        assert main(arguments) == 130
    done = sorted(path.name for path in (tmp_path / "run/stages").iterdir())
    assert done == ["representation"]
    before = times(tmp_path / "run")
    assert main(arguments) == 0
    after = times(tmp_path / "run")
    assert {path: after[path] for path in before} == before
    for one, two in zip(
        weights_of(tmp_path / "run"),
        weights_of(tmp_path / "whole"),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def weights_of(run):
    backbone = keras_hub.models.Backbone.from_preset(str(run / "student"))
    return backbone.get_weights()


@pytest.fixture
def trainer(tmp_path, data_dir):
    config = Config(
        source="sst2",
        glue_dir=str(data_dir),
        student="2x8x2",
        representation_epochs=1,
        logits_epochs=1,
        labels_epochs=1,
        sequence_length=16,
        batch_size=8,
    )
    with stages.RunFolder(tmp_path / "run", quiet=True) as folder:
        yield Trainer(config, folder)


@pytest.fixture
def prepared(trainer, make_classifier):
    """A teacher, a student and the data of the source task."""
    teacher = make_classifier(num_layers=3)
    student = trainer.create_student(teacher)
    labelled = trainer.read("sst2")
    data = trainer.tokenize(labelled, teacher.preprocessor.tokenizer)
    return teacher, student, data


def trained_in(stage):
    with stage.only_trainable():
        return {id(variable) for variable in stage.student.trainable_variables}


def ids(*things):
    return {id(variable) for one in things for variable in one.weights}


def test_each_stage_has_its_data_losses_and_parts(trainer, prepared):
    teacher, student, data = prepared
    transfer = trainer.transfer_data(data.train, data, teacher)
    listed = stage_list.distillation_stages(
        trainer.config, data, transfer, teacher, student
    )
    assert [stage.name for stage in listed] == STAGES
    everything = {id(variable) for variable in student.trainable_variables}
    head = ids(student.output_dense)
    both = ids(student.output_dense, student.backbone.pooled_dense)
    trained = [trained_in(stage) for stage in listed]
    assert trained[0] == everything
    assert trained[1:4] == trained[4:] == [head, both, everything]
    for stage in listed[:4]:
        # No labels.
        assert stage.student_loss_weight == 0
        assert stage.loss is None
        assert (stage.keep.monitor, stage.keep.mode) == ("loss", "min")
    assert listed[0].train is data.train
    assert listed[1].teacher is transfer.logits
    for stage in listed[4:]:
        assert stage.teacher is None
        assert stage.train is data.train
        assert (stage.keep.monitor, stage.keep.mode) == ("accuracy", "max")
    assert {stage.keep.patience for stage in listed} == {2}


@pytest.mark.parametrize(
    "how, names",
    [
        ("encoder", ["head", "projection", "encoder"]),
        (
            "layer",
            ["head", "projection", "layer.2", "layer.1", "embeddings"],
        ),
        ("none", ["all"]),
    ],
)
def test_unfreezing_goes_from_top_to_bottom(make_classifier, how, names):
    student = make_classifier(num_layers=2)
    steps = stage_list.unfreezing(student, how)
    assert [name for name, _ in steps] == names
    assert steps[-1][1] is None
    for (_, before), (_, after) in zip(steps[:-2], steps[1:-1], strict=True):
        assert after[:-1] == before


def test_a_token_classifier_has_no_projection(make_token_classifier):
    steps = stage_list.unfreezing(make_token_classifier(), "encoder")
    assert [name for name, _ in steps] == ["head", "encoder"]


@pytest.mark.slow
def test_what_a_stage_freezes_does_not_change(trainer, prepared):
    teacher, student, data = prepared
    transfer = trainer.transfer_data(data.train, data, teacher)
    listed = stage_list.distillation_stages(
        trainer.config, data, transfer, teacher, student
    )

    def values(*layers):
        return [w for layer in layers for w in layer.get_weights()]

    def of_encoder():
        known = ids(student.backbone.pooled_dense)
        return [
            weight.numpy()
            for weight in student.backbone.weights
            if id(weight) not in known
        ]

    for stage, head, projection, encoder in zip(
        listed,
        (False, True, True, True, True, True, True),
        (False, False, True, True, False, True, True),
        (True, False, False, True, False, False, True),
        strict=True,
    ):
        before = (
            values(student.output_dense),
            values(student.backbone.pooled_dense),
            of_encoder(),
        )
        trainer.run([stage])
        after = (
            values(student.output_dense),
            values(student.backbone.pooled_dense),
            of_encoder(),
        )
        changed = [
            any((x != y).any() for x, y in zip(old, new, strict=True))
            for old, new in zip(before, after, strict=True)
        ]
        assert changed == [head, projection, encoder], stage.name


def test_other_heads_are_compared_by_relations(
    trainer, prepared, make_classifier
):
    _, student, data = prepared
    teacher = make_classifier(num_layers=3, num_heads=4)
    transfer = trainer.transfer_data(data.train, data, teacher)
    (stage, *_) = stage_list.distillation_stages(
        trainer.config, data, transfer, teacher, student
    )
    relations = stage.distillation_losses[1]
    assert isinstance(relations, losses.RelationDistillation)
    assert relations.num_relation_heads == 2
    found = stage.build().evaluate(
        data.dev.batches(8), verbose=0, return_dict=True
    )
    assert np.isfinite(found["relations_loss"])


def test_a_missing_dev_split_is_always_the_same_part_of_train(data_dir):
    labelled = read_task("mrpc", glue_dir=data_dir)
    again = read_task("mrpc", glue_dir=data_dir)
    assert (len(labelled.train), len(labelled.dev)) == (22, 2)
    assert not set(labelled.train.ids) & set(labelled.dev.ids)
    assert labelled.dev.texts == again.dev.texts


def test_epochs_are_chosen_by_a_part_and_scores_are_of_all(
    trainer, make_classifier
):
    config = Config(**{**vars(trainer.config), "max_dev_examples": 4})
    trainer.config = config
    labelled = trainer.read("sst2")
    model = make_classifier()
    data = trainer.tokenize(labelled, model.preprocessor.tokenizer)
    assert isinstance(data, TaskData)
    assert (len(data.dev), len(data.whole_dev)) == (4, 16)
    assert set(data.dev.ids) < set(data.whole_dev.ids)

    trainer.config = Config(**{**vars(config), "max_scored_examples": 6})
    part = trainer.read("sst2")
    assert len(part.dev) == 6
    assert set(part.dev.ids) < set(labelled.dev.ids)
    assert len(part.train) == len(labelled.train)


@pytest.mark.parametrize("embeddings", ["teacher", "centred"])
def test_words_start_from_the_teacher(trainer, make_classifier, embeddings):
    teacher = make_classifier()
    student = trainer.create_student(teacher, embeddings)
    of_teacher, of_student = (
        model.backbone.token_embedding.get_weights()[0]
        for model in (teacher, student)
    )
    if embeddings == "centred":
        of_teacher = of_teacher - of_teacher.mean(axis=0)
    kept = np.linalg.svd(of_teacher, compute_uv=False)[:8]
    np.testing.assert_allclose(
        np.linalg.svd(of_student, compute_uv=False), kept, rtol=1e-4
    )


def test_an_equally_wide_student_gets_the_tables_as_they_are(
    trainer, make_classifier
):
    trainer.config = Config(**{**vars(trainer.config), "student": "1x16x2"})
    teacher = make_classifier()
    student = trainer.create_student(teacher)
    for one, two in zip(
        teacher.backbone.token_embedding.get_weights(),
        student.backbone.token_embedding.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def test_factorized_words_go_with_the_encoder(
    trainer, make_classifier, tmp_path
):
    trainer.config = Config(**{**vars(trainer.config), "embedding_dim": 4})
    student = trainer.create_student(make_classifier())
    assert student.backbone.token_embedding.output_dim == 4
    export.to_encoder_preset(student, tmp_path / "student")
    loaded = teachers.load_teacher(str(tmp_path / "student"), 3, 16)
    for one, two in zip(
        student.backbone.get_weights(),
        loaded.classifier.backbone.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def test_a_new_head_leaves_the_encoder(make_classifier):
    model = make_classifier()
    copy = with_new_head(model, num_classes=5, sequence_length=8)
    assert copy.output_shape == (None, 5)
    assert copy.preprocessor.sequence_length == 8
    assert model.preprocessor.sequence_length == 16
    assert copy.preprocessor.tokenizer is model.preprocessor.tokenizer
    for one, two in zip(
        model.backbone.weights, copy.backbone.weights, strict=True
    ):
        assert one is not two
        np.testing.assert_array_equal(one.numpy(), two.numpy())
    fresh = from_its_start(model)
    kernels = [m.backbone.pooled_dense.get_weights()[0] for m in (model, fresh)]
    assert (kernels[0] != kernels[1]).all()


@pytest.mark.slow
def test_distillation_on_the_target_itself(
    data_dir, make_classifier, tmp_path, monkeypatch
):
    # The page on the source task is not what this is about.
    monkeypatch.setattr(recipe._Recipe, "_write_report", lambda self: "none")
    encoder = make_classifier(num_layers=2)
    export.to_encoder_preset(encoder, tmp_path / "encoder")
    config = Config(
        source="sst2",
        targets="rte",
        glue_dir=str(data_dir),
        teacher=str(tmp_path / "encoder"),
        student="1x8x2",
        unfreezing="none",
        representation_epochs=0,
        logits_epochs=1,
        labels_epochs=0,
        teacher_epochs=1,
        target_epochs=1,
        task_distillation="both",
        allow_untrained_teacher=True,
        sequence_length=16,
    )
    found = recipe.run(config, tmp_path / "run", quiet=True)
    (result,) = found["targets"]
    assert set(result["models"]) == {
        targets.TEACHER,
        targets.BASELINE,
        targets.TRANSFERRED,
        targets.SCRATCH,
        targets.FURTHER,
    }
    names = {path.name for path in (tmp_path / "run/stages").iterdir()}
    assert names == {
        "teacher",
        "logits-all",
        "rte.without-distillation",
        "rte.fine-tuning",
        "rte.teacher",
        "rte.scratch.logits-all",
        "rte.further.logits-all",
    }


@pytest.mark.slow
def test_texts_like_the_tasks_are_retrieved(
    trainer, make_classifier, tmp_path, monkeypatch
):
    backbone = make_classifier().backbone
    model = make_classifier()
    encoder = tasks.retrieval.SentenceEncoder(
        backbone, model.preprocessor.tokenizer, sequence_length=16
    )
    retrieve = tasks.retrieval.retrieve
    monkeypatch.setattr(
        tasks.retrieval,
        "retrieve",
        lambda *args, **kwargs: retrieve(*args, encoder=encoder, **kwargs),
    )
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("a sad film\na great plot\na great film\nvery funny\n")
    trainer.config = Config(
        **{**vars(trainer.config), "transfer": str(corpus), "retrieve": 2}
    )
    for name in ("sst2", "rte"):
        labelled = trainer.read(name)
        data = trainer.tokenize(labelled, model.preprocessor.tokenizer)
        found = trainer.transfer_texts(
            labelled, data, model.preprocessor.tokenizer
        )
        assert len(found) == 2
        assert found.labels is None


@pytest.mark.parametrize(
    "change, message",
    [
        (["--student", "big"], "must be a preset"),
        (["--targets", "rte,rte"], "may stand once"),
        (["--targets", "rte; wikiann:en,de"], "tags of words where"),
        (["--retrieve", "5"], "--retrieve is about the texts of --transfer"),
        (["--source", "mrqc"], "mrqc"),
        (["--source", "boolq"], "give `data_dir`"),
        (["--source", "wikiann:"], "languages after the colon"),
        (["--source", "ontonotes:en"], "only WikiAnn is known"),
        (["--transfer", "no/such/file"], "no/such/file"),
        (["--student", "3x8x2"], "3 student layers and 2 teacher layers"),
    ],
)
def test_bad_input_is_one_sentence(untrained, capsys, change, message):
    assert main([*untrained, "--logits-epochs", "0", *change]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_help_explains_every_option():
    text = " ".join(build_parser().format_help().split())
    for option in Config.__dataclass_fields__:
        assert "--" + option.replace("_", "-") in text
    assert "(default: 0.002; paper: 3e-5)" in text


def test_names_hold_commas_where_semicolons_part_them():
    assert split_names("rte, mrpc") == ("rte", "mrpc")
    assert split_names("rte; wikiann:en,de") == ("rte", "wikiann:en,de")
    assert split_names("wikiann:en,de;") == ("wikiann:en,de",)
    assert split_names("") == ()


def test_tags_in_two_languages(tmp_path, make_token_classifier, capsys):
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
    teacher = make_token_classifier()
    export.to_encoder_preset(teacher, tmp_path / "encoder")
    arguments = [
        *("--source", "wikiann:en,no", "--data-dir", str(tmp_path / "data")),
        *("--teacher", str(tmp_path / "encoder"), "--student", "1x8x2"),
        *("--run-dir", str(tmp_path / "run"), "--sequence-length", "16"),
        *("--teacher-epochs", "12", "--teacher-rate", "1e-2"),
        *("--patience", "12"),
        *("--representation-epochs", "1", "--logits-epochs", "1"),
        *("--labels-epochs", "1", "--unfreezing", "encoder"),
    ]
    assert main(arguments) == 0
    assert "mean over languages" in capsys.readouterr().out
    run = tmp_path / "run"
    names = {path.name for path in (run / "stages").iterdir()}
    assert names == {
        "teacher",
        *(set(STAGES) - {"logits-projection", "labels-projection"}),
    }
    found = json.loads((run / "result.json").read_text())
    assert list(found["teacher"]["languages"]) == ["en", "no"]
    assert found["teacher"]["phrase_f1"] > 0.5
    table = (run / "languages.md").read_text()
    assert "| dev split, phrase F1 × 100 | teacher | student |" in table
    encoder = keras_hub.models.Backbone.from_preset(str(run / "student"))
    assert encoder.num_layers == 1
