"""The recipe from the command line, on tiny models and made-up tasks."""

import contextlib
import dataclasses
import gc
import json
import weakref

import keras
import keras_hub
import numpy as np
import pytest

from keras_distill import export
from keras_distill import losses
from keras_distill import optimizers
from keras_distill import schedules
from keras_distill import stages
from keras_distill import tasks
from keras_distill import teachers
from recipes.common import devices
from recipes.xtremedistil import models
from recipes.xtremedistil import recipe
from recipes.xtremedistil import stage_list
from recipes.xtremedistil import stage_table
from recipes.xtremedistil import targets
from recipes.xtremedistil.__main__ import build_parser
from recipes.xtremedistil.__main__ import main
from recipes.xtremedistil.checks import Checks
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.config import split_names
from recipes.xtremedistil.labelled_task import LabelledTask
from recipes.xtremedistil.labelled_task import TaggingTask
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


def test_end_to_end_and_another_target(arguments, data_dir, tmp_path, capsys):
    transfer = tmp_path / "texts.txt"
    transfer.write_text("a sad film\nthe story is funny\n\na great plot\n" * 9)
    arguments = [*arguments, "--transfer", str(transfer), "--targets"]
    assert main([*arguments, "rte"]) == 0
    shown = capsys.readouterr().out
    assert "27 unlabelled texts" in shown
    # Top-aligned, the embeddings with the layer below.
    assert "student embeddings <- teacher layer 1" in shown
    assert "student layer 1 <- teacher layer 2" in shown
    run = tmp_path / "run"
    before = times(run)
    first = json.loads((run / "targets.json").read_text())

    # Another target joins a finished run, and nothing is trained twice.
    assert main([*arguments, "rte,mrpc"]) == 0
    assert "'rte.fine-tuning' is done" in capsys.readouterr().out
    after = times(run)
    assert {path: after[path] for path in before} == before
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
    assert found[:1] == first
    for result in found:
        assert list(result["models"]) == [targets.BASELINE, targets.TRANSFERRED]
    assert found[1]["dev"] == "held-out part of the train"
    assert found[1]["examples"] == 2
    table = (run / "targets.md").read_text()
    assert "| dev split, × 100 | rte, accuracy | mrpc, accuracy |" in table
    assert (run / "report.html").is_file()
    listed = (run / "stages.md").read_text().splitlines()[2:]
    assert [line.split(" | ")[0] for line in listed] == [
        f"| {name}" for name in [*STAGES, *of_targets]
    ]

    # What it says of the test splits is that nobody read them.
    with pytest.raises(ValueError, match="test.tsv"):
        tasks.load("rte", data_dir)[1]["test"]

    # The encoder that was saved is the one that was measured.
    loaded = teachers.load_teacher(str(run / "student"), 5, 16)
    assert not loaded.has_head
    assert loaded.classifier.num_classes == 5
    assert loaded.classifier.backbone.num_layers == 1

    # Another setting does not fit into the folder.
    assert main([*arguments, "rte", "--seed", "2"]) == 2
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

        def stop():
            raise KeyboardInterrupt

        # It is described before the first one runs, and built when it is due.
        listed[1].build = stop
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


def test_all_see_the_training_rows_that_were_drawn(trainer, tokenizer):
    whole = trainer.read("sst2")
    trainer.config = dataclasses.replace(trainer.config, max_train_examples=5)
    labelled = trainer.read("sst2")
    assert len(labelled.train) == 5
    assert set(labelled.train.ids) < set(whole.train.ids)
    data = trainer.tokenize(labelled, tokenizer)
    np.testing.assert_array_equal(data.train.ids, labelled.train.ids)
    # What like texts are looked for by.
    assert labelled.queries(1)[0].texts == labelled.train.texts


def test_another_rate_of_a_finished_target_is_refused(trainer, prepared):
    _, student, data = prepared

    def fine_tune(rate):
        config = dataclasses.replace(trainer.config, target_rate=rate)
        trainer.run(
            [targets._fine_tuning(config, data, student, "rte.fine-tuning")]
        )

    fine_tune(1e-3)
    fine_tune(1e-3)
    with pytest.raises(ValueError, match="'rte.fine-tuning' has changed"):
        fine_tune(1e-4)


def test_a_folder_belongs_to_the_settings_of_the_source():
    known = Config(targets="rte", target_epochs=1).source_settings()
    other = Config(
        targets="rte,mrpc",
        target_epochs=2,
        target_rate=1e-5,
        task_distillation="both",
    )
    assert other.source_settings() == known
    assert Config(patience=7).source_settings() != known


def test_targets_of_one_task_have_stages_of_their_own(
    trainer, prepared, monkeypatch
):
    teacher, student, data = prepared
    names = []
    trainer.config = dataclasses.replace(trainer.config, logits_epochs=0)
    monkeypatch.setattr(
        trainer, "run", lambda listed: names.extend(one.name for one in listed)
    )

    def teacher_of(labelled, name):
        names.append(name)
        return teacher, data

    monkeypatch.setattr(trainer, "teacher", teacher_of)
    monkeypatch.setattr(trainer, "read", lambda name: data.labelled)
    monkeypatch.setattr(TaskData, "score", lambda *_: {})
    # As TensorFlow Datasets has it, all of them are called "wikiann".
    for target in ("wikiann:de", "wikiann:ru"):
        targets.transfer(
            trainer,
            target,
            targets.transferred_from(student),
            targets.rows_of(Config(task_distillation="both")),
        )
    assert len(set(names)) == len(names)
    assert {name.split(".")[0] for name in names} == {
        "wikiann-de",
        "wikiann-ru",
    }


def test_the_list_of_stages_is_read_off_the_stages(trainer, prepared):
    teacher, student, data = prepared
    transfer = trainer.transfer_data(data.train, data, teacher)
    first, head, *_, last = map(
        stage_table.row,
        stage_list.distillation_stages(
            trainer.config, data, transfer, teacher, student
        ),
    )
    of_all = f"{student.count_params():,}"
    assert first == [
        "representation",
        "32",
        "the teacher: hidden_states, attention",
        f"all: {of_all} of {of_all} weights",
        "AdamW, WarmupLinearDecay with peak 0.002",
        "1 epochs, 4 steps",
        "loss, min, patience 2",
    ]
    # 8 inputs and a bias for each of 2 classes.
    assert head[2:4] == [
        "the teacher: logits",
        f"{student.output_dense.name}: 18 of {of_all} weights",
    ]
    assert last[2] == "labels: SparseCategoricalCrossentropy"
    assert last[-1] == "accuracy, patience 2"


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: keras.optimizers.SGD(0.5), "SGD, 0.5"),
        (
            lambda: keras.optimizers.SGD(
                schedules.JoinedSchedules([(0.5, 2), (0.1, 2)])
            ),
            "SGD, JoinedSchedules",
        ),
        (
            lambda: optimizers.RateScaleOptimizer(keras.optimizers.SGD(0.5)),
            "RateScaleOptimizer over SGD, 0.5",
        ),
    ],
)
def test_every_optimizer_is_listed(trainer, prepared, make, words):
    _, student, data = prepared
    stage = stage_list.label_stage("any", trainer.config, data, student, 1, 1)
    stage.optimizer = lambda _: make()
    assert stage_table.row(stage)[4] == words


def test_a_tpu_computes_in_bfloat16_wherever_it_is_set_up(monkeypatch):
    monkeypatch.setattr(
        devices.distribution, "scope", lambda _: contextlib.nullcontext()
    )
    try:
        devices.begin_strategy("tpu")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_teacher_alone_is_trained_under_the_strategy(tmp_path, monkeypatch):
    begun = []

    def begin(strategy):
        begun.append(strategy)
        raise RuntimeError

    monkeypatch.setattr(recipe, "begin_strategy", begin)
    with pytest.raises(RuntimeError):
        recipe.train_teacher(Config(strategy="tpu"), tmp_path / "run")
    assert begun == ["tpu"]


@pytest.mark.parametrize("size", ["1x8x2", "1x16x2"])
@pytest.mark.parametrize("embeddings", ["teacher", "centred"])
@pytest.mark.parametrize("positions", [None, "teacher", "random"])
def test_words_and_positions_start_from_the_teacher(
    make_classifier, size, embeddings, positions
):
    teacher = make_classifier()
    config = Config(
        student=size, embeddings=embeddings, embedding_positions=positions
    )
    student, _ = models.create_student(config, teacher)
    at_random, _ = models.create_student(
        dataclasses.replace(
            config, embeddings="random", embedding_positions=None
        ),
        teacher,
    )
    of_teacher, of_student = (
        model.backbone.token_embedding.get_weights()[0]
        for model in (teacher, student)
    )
    if embeddings == "centred":
        of_teacher = of_teacher - of_teacher.mean(axis=0)
    width = of_student.shape[1]
    kept = np.linalg.svd(of_teacher, compute_uv=False)[:width]
    np.testing.assert_allclose(
        np.linalg.svd(of_student, compute_uv=False), kept, rtol=1e-4
    )
    for name in ("position_embedding", "segment_embedding"):
        start, now = (
            getattr(model.backbone, name).get_weights()[0]
            for model in (at_random, student)
        )
        is_random = positions == "random" or (
            positions is None and embeddings == "centred"
        )
        assert (start == now).all() == is_random


def test_an_equally_wide_student_gets_the_tables_as_they_are(make_classifier):
    teacher = make_classifier()
    student, _ = models.create_student(Config(student="1x16x2"), teacher)
    for one, two in zip(
        teacher.backbone.token_embedding.get_weights(),
        student.backbone.token_embedding.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


def words_of(model):
    return {id(w) for w in model.backbone.token_embedding.weights}


@pytest.mark.parametrize("embedding_dim", [None, 4])
@pytest.mark.parametrize("unfreezing", ["encoder", "layer"])
def test_frozen_words_are_trained_on_targets_alone(
    trainer, prepared, unfreezing, embedding_dim, monkeypatch
):
    teacher, _, data = prepared
    trainer.config = dataclasses.replace(
        trainer.config,
        freeze_embeddings=True,
        embedding_dim=embedding_dim,
        unfreezing=unfreezing,
        # Without them there are no logits to compute.
        logits_epochs=0,
    )
    student = trainer.create_student(teacher)
    ran = []
    monkeypatch.setattr(trainer, "run", ran.extend)

    trainer.distil(data, stage_list.TransferData(data.train), teacher, student)
    for stage in ran:
        assert not trained_in(stage) & words_of(student)
    assert trained_in(ran[0]) > ids(student.backbone.position_embedding)
    # A stage leaves what it found.
    assert not student.backbone.token_embedding.trainable

    ran.clear()
    monkeypatch.setattr(trainer, "teacher", lambda *_: (teacher, data))
    monkeypatch.setattr(TaskData, "score", lambda *_: {})
    targets.transfer(
        trainer,
        "sst2",
        targets.transferred_from(student),
        [targets.BASELINE, targets.TRANSFERRED, targets.FURTHER],
    )
    for stage in ran[:2]:
        assert trained_in(stage) >= words_of(stage.student)
    assert ran[2].name.startswith("sst2.further.")
    for stage in ran[2:]:
        assert not trained_in(stage) & words_of(stage.student)


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
    "text, balance",
    [
        (None, "equal"),
        ("examples", "examples"),
        ("positive=3, negative=1", [1, 3]),
    ],
)
def test_what_is_retrieved_is_balanced_as_asked(
    trainer, tokenizer, tmp_path, monkeypatch, text, balance
):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("a sad film\na great plot\n")
    asked = []

    def retrieve(examples, files, num_texts, **options):
        asked.append(options["label_balance"])
        return tasks.retrieval.Retrieved(files.load(), None, None)

    monkeypatch.setattr(tasks.retrieval, "retrieve", retrieve)
    trainer.config = dataclasses.replace(
        trainer.config, transfer=str(corpus), retrieve=2, retrieve_balance=text
    )
    trainer.transfer_texts(trainer.read("sst2"), None, tokenizer)
    assert asked == [balance]


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("sst2", "positive=1", "a share of each class, such as negative=1,"),
        ("sst2", "positive=1,negative=x", "a share of each class"),
        ("sst2", "positive=1,negative=1,negative=2", "a share of each class"),
        # Of pairs that are taken apart no text has a class.
        ("rte", "equal", "needs examples with one class each"),
    ],
)
def test_a_balance_needs_classes(data_dir, name, text, message):
    labelled = read_task(name, glue_dir=data_dir)
    with pytest.raises(ValueError, match=message):
        labelled.label_balance(text, num_columns=1)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"student": "big"}, "must be a preset"),
        ({"targets": "rte,rte"}, "may stand once"),
        ({"retrieve": 5}, "--retrieve is about the texts of --transfer"),
        ({"transfer_columns": "0"}, "--transfer-columns is about"),
        ({"max_transfer_texts": 5}, "--max-transfer-texts is about"),
        ({"transfer_sentences": True}, "--transfer-sentences is about"),
        ({"transfer_min_words": 2}, "--transfer-min-words is about"),
        ({"retrieve_balance": "equal"}, "--retrieve-balance is about"),
        (
            {"transfer": "any", "retrieve_balance": "equal"},
            "without --retrieve",
        ),
        (
            {"transfer": "any", "retrieve": 5, "max_transfer_texts": 9},
            "give one of them",
        ),
        ({"targets": "rte", "target_epochs": 0}, "--target-epochs must be 1"),
        ({"logits_epochs": -1}, "--logits-epochs must be 0 or more"),
        ({"task_distillation": "both"}, "without --targets"),
        (
            {"embeddings": "random", "freeze_embeddings": True},
            "--freeze-embeddings is about",
        ),
        (
            {"embeddings": "random", "embedding_positions": "teacher"},
            "--embedding-positions is about",
        ),
    ],
)
def test_settings_without_effect_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings).check()


@pytest.mark.parametrize(
    "settings",
    [
        {"target_epochs": 0},
        {"transfer": "any", "retrieve": 5, "retrieve_balance": "equal"},
        {"transfer": "any", "max_transfer_texts": 5, "transfer_min_words": 2},
        {"embeddings": "random", "embedding_positions": "random"},
        {"targets": "rte", "task_distillation": "both"},
    ],
)
def test_settings_that_go_together(settings):
    Config(**settings).check()


@pytest.mark.parametrize(
    "change, message",
    [
        (["--student", "big"], "must be a preset"),
        (["--targets", "rte; wikiann:en,de"], "tags of words where"),
        (["--targets", "rte,mrqc"], "mrqc"),
        (["--targets", "qqp"], "must hold the folder QQP"),
        (
            ["--targets", "rte", "--task-distillation", "further"],
            "without a trained head",
        ),
        (["--sequence-length", "33"], "reads at most 32 tokens"),
        (["--student", "1x32x2"], "at most as wide as the teacher"),
        (["--source", "mrqc"], "mrqc"),
        (["--source", "boolq"], "give `data_dir`"),
        (["--source", "wikiann:"], "languages after the colon"),
        (["--source", "ontonotes:en"], "only WikiAnn is known"),
        (["--transfer", "no/such/file"], "no/such/file"),
        (["--student", "3x8x2"], "3 student layers and 2 teacher layers"),
    ],
)
def test_bad_input_is_one_sentence(
    untrained, tmp_path, capsys, change, message
):
    assert main([*untrained, "--logits-epochs", "0", *change]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    # Nothing was begun.
    assert not (tmp_path / "run").exists()


def test_a_target_is_no_longer_than_the_teacher_reads(
    data_dir, make_classifier, tmp_path
):
    export.to_preset(make_classifier(), tmp_path / "teacher")
    # SST-2's texts have 64 tokens and RTE's 128.
    labelled = read_task("sst2", glue_dir=data_dir)
    short = LabelledTask(
        dataclasses.replace(labelled.task, sequence_length=16),
        {"train": labelled.train, "dev": labelled.dev},
    )
    config = Config(
        source="sst2",
        targets="rte",
        glue_dir=str(data_dir),
        teacher=str(tmp_path / "teacher"),
        student="1x8x2",
    )
    checks = Checks()
    checks._tasks["sst2"] = short
    with pytest.raises(ValueError, match="at most 32 tokens, the target rte"):
        checks.check(config)


def test_checks_let_go_of_the_models(untrained, monkeypatch):
    config = vars(build_parser().parse_args(untrained))
    for name in ("run_dir", "quiet", "resume"):
        del config[name]
    made = []
    create_student = models.create_student

    def create(config, teacher):
        student, start = create_student(config, teacher)
        made.extend([weakref.ref(teacher), weakref.ref(student)])
        return student, start

    monkeypatch.setattr(models, "create_student", create)
    checks = Checks()
    checks.check(Config(**config))
    gc.collect()
    assert len(made) == 2
    assert [one() for one in made] == [None, None]
    # Each thing once.
    checks.check(Config(**config))
    assert len(made) == 2


def tagged(*languages):
    """A tagging task with a sentence in each language, seen twice."""
    examples = tasks.TaggedExamples(
        [["anna", "sings"]] * len(languages),
        [[1, 0]] * len(languages),
        languages,
    )
    task = tasks.tagging_task("names", tasks.WIKIANN_TAGS)
    return TaggingTask(task, {"train": examples, "dev": examples})


def test_tags_have_no_pairs(tmp_path):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("anna sings\tin oslo\n")
    checks = Checks()
    checks._tasks["names:en"] = tagged("en")
    config = Config(
        source="names:en", transfer=str(pairs), transfer_columns="0,1"
    )
    with pytest.raises(ValueError, match="must name one column for names:en"):
        checks.check(config)


def test_tags_of_a_target_are_shown_by_language(make_token_classifier):
    pytest.importorskip("seqeval.metrics", reason="needs seqeval")
    labelled = tagged("en", "no")
    model = make_token_classifier()
    dev = labelled.tokenize(labelled.dev, model.preprocessor.tokenizer, 16)
    data = TaskData(labelled, dev, dev, dev)
    assert list(data.score(model)["languages"]) == ["en", "no"]
    assert "languages" not in data.measure(model)
    page = recipe.targets_page(
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
