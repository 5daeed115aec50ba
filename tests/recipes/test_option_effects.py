"""Every option of every recipe changes something, seen before any training.

A run is observed as far as its stages: what they say of themselves, the rows
that they train on, the students as they start, what is asked of the teacher.
An option whose value changes none of that has no entry here that holds.
"""

import functools
import hashlib
import shutil
import types

import keras_hub
import numpy as np
import pytest

from keras_distill import stages
from keras_distill import tasks
from keras_distill import teachers
from recipes.common import devices
from recipes.common import experiment
from recipes.common import models as common_models
from recipes.common import task_data
from recipes.tinybert import recipe as tinybert
from recipes.tinybert.config import Config as TinyBert
from recipes.xtremedistil import bilstm
from recipes.xtremedistil import error_propagation
from recipes.xtremedistil import recipe as xtremedistil
from recipes.xtremedistil import study
from recipes.xtremedistil import targets
from recipes.xtremedistil.bilstm import Settings as BiLstm
from recipes.xtremedistil.config import Config as XtremeDistil
from recipes.xtremedistil.error_propagation import Settings as ErrorPropagation
from tests.conftest import WORDS

# === What differs, by option: its value, and what else is set on both sides.
# "glue", "other" and "texts" are folders of the fixture below.
OF_TEACHER = {
    "teacher": ("another", {}),
    "teacher_batch_size": (8, {}),
    "teacher_epochs": (2, {}),
    "teacher_rate": (1e-5, {}),
    "weight_decay": (0.1, {}),
    "allow_untrained_teacher": (True, {}),
    "seed": (2, {}),
    "sequence_length": (8, {}),
    "max_train_examples": (5, {}),
    "metric": ("matthews", {}),
    "select_on": ("train", {"glue_dir": "many"}),
    "batch_size": (4, {}),
    "skip_bad_rows": (True, {"glue_dir": "bad"}),
    "encoding": ("latin-1", {"glue_dir": "bytes"}),
    "soft_labels": ("soft.jsonl", {}),
}
# A file of one's own in place of a task by its name.
_OWN = {"glue_dir": None, "data": "own.csv"}
OF_DATA = {
    "data": ("others.csv", _OWN),
    "text_column": ("title", _OWN),
    "label_column": ("grade", _OWN),
    "id_column": ("key", _OWN),
    "label_separator": (
        "|",
        {
            "glue_dir": None,
            "data": "several.csv",
            "allow_untrained_teacher": True,
        },
    ),
    "kind": ("regression", _OWN),
    "data_dir": ("other", {"glue_dir": None, "data_dir": "glue"}),
    "select_on": ("train", {"glue_dir": "many"}),
}
OF_TEXTS = {
    **OF_DATA,
    "transfer": ("texts/lines.txt", {}),
    "transfer_columns": (
        "1",
        {"transfer": "texts/pairs.tsv", "transfer_columns": "0"},
    ),
    "transfer_sentences": (True, {"transfer": "texts/lines.txt"}),
    "transfer_min_words": (4, {"transfer": "texts/lines.txt"}),
    "max_transfer_texts": (2, {"transfer": "texts/lines.txt"}),
    "retrieve": (3, {"transfer": "texts/lines.txt"}),
    "retrieve_balance": (
        "examples",
        {"transfer": "texts/lines.txt", "retrieve": 3},
    ),
    "max_dev_examples": (3, {}),
    "max_scored_examples": (5, {}),
    "glue_dir": ("other", {}),
    "source": ("mrpc", {}),
}
EFFECTS = {
    TinyBert: {
        **OF_TEACHER,
        **OF_DATA,
        "task": ("mrpc", {}),
        "predict_test": (True, {}),
        "augmented": ("augmented.tsv", {}),
        "glue_dir": ("other", {}),
        "student": ("2x8x2", {}),
        "student_start": ("layers", {"student": "1x16x2x32"}),
        "student_from": ("another", {"student": "4x16x2x32"}),
        "student_dropout": (0.5, {}),
        "embeddings": ("random", {}),
        "pooling": ("mean", {}),
        "student_pooling": ("mean", {}),
        "head": ("tinybert", {}),
        "student_head": ("tinybert", {}),
        "profile": ("paper", {"batch_size": 4, "teacher_batch_size": 4}),
        "optimizer": ("bert_adam", {}),
        "short_batches": (
            "dropped",
            {"batch_size": 5, "teacher_batch_size": 5},
        ),
        "evaluate_every": (2, {}),
        "teacher_dropout": ("on", {}),
        "layer_map": ("last", {}),
        "intermediate_epochs": (3, {}),
        "intermediate_rate": (1e-5, {}),
        "intermediate_schedule": ("constant", {}),
        "prediction_epochs": (3, {}),
        "prediction_rate": (1e-5, {}),
        "prediction_target": ("labels", {}),
        "temperature": (2.0, {}),
        "soft_labels_missing": ("labels", {"soft_labels": "few.jsonl"}),
        "teacher_features": ("float16", {}),
        "normalization": ("official", {}),
        "baseline_epochs": (4, {}),
        "baseline_rate": (1e-5, {}),
        # Whole batches alone.
        "strategy": ("tpu", {"batch_size": 4, "teacher_batch_size": 4}),
        "precision": ("mixed_bfloat16", {}),
    },
    XtremeDistil: {
        **OF_TEACHER,
        **OF_TEXTS,
        "targets": ("mrpc", {"targets": "sst2"}),
        "student": ("2x8x2", {}),
        "student_start": ("layers", {"student": "1x16x2x32"}),
        "student_from": ("another", {"student": "4x16x2x32"}),
        "student_dropout": (0.5, {}),
        "embeddings": ("centred", {}),
        "embedding_positions": ("random", {}),
        "freeze_embeddings": (True, {}),
        "embedding_dim": (4, {}),
        "hidden_states": ("first", {}),
        "attention": ("none", {}),
        "representation_epochs": (3, {}),
        "representation_rate": (1e-5, {}),
        "unfreezing": ("layer", {}),
        "logits_epochs": (3, {}),
        "labels_epochs": (3, {}),
        "head_rate": (1e-5, {}),
        "encoder_rate": (1e-5, {}),
        "target_epochs": (3, {"targets": "sst2"}),
        "target_rate": (1e-5, {"targets": "sst2"}),
        "schedule": ("constant", {}),
        "patience": (3, {}),
        "task_distillation": ("both", {"targets": "sst2"}),
        # Whole batches alone.
        "strategy": ("tpu", {"batch_size": 4, "teacher_batch_size": 4}),
        "precision": ("mixed_bfloat16", {}),
    },
    BiLstm: {
        **OF_TEACHER,
        **OF_TEXTS,
        # By default it is the middle one of four.
        "teacher_layer": (3, {}),
        "teacher_features": ("float16", {}),
        "embeddings": ("centred", {}),
        "embedding_dim": (4, {}),
        "lstm_dim": (5, {}),
        "dropout": (0.1, {}),
        "recurrent_dropout": (0.1, {}),
        "representation_epochs": (3, {}),
        "logits_epochs": (3, {}),
        "labels_epochs": (3, {}),
        "patience": (3, {}),
        "peak_rate": (1e-2, {}),
        "floor_rate": (1e-7, {}),
        "period_epochs": (2, {}),
        "period_growth": (3.0, {}),
        "peak_decay": (0.5, {}),
        # Whole batches alone.
        "strategy": ("tpu", {"batch_size": 4, "teacher_batch_size": 4}),
        "precision": ("mixed_bfloat16", {}),
    },
    ErrorPropagation: {
        **{k: v for k, v in OF_DATA.items() if k != "select_on"},
        # It does not ask what its teacher is worth.
        "label_separator": ("|", {"glue_dir": None, "data": "several.csv"}),
        "source": ("mrpc", {}),
        "glue_dir": ("other", {}),
        "teacher": ("another", {}),
        "student": ("2x8x2", {}),
        "student_start": ("layers", {"student": "1x16x2x32"}),
        "student_from": ("another", {"student": "4x16x2x32"}),
        "student_dropout": (0.5, {}),
        "embeddings": ("centred", {}),
        "embedding_positions": ("random", {}),
        "freeze_embeddings": (True, {}),
        "embedding_dim": (4, {}),
        "sequence_length": (8, {}),
        "max_train_examples": (9, {}),
        "batch_size": (2, {}),
        "hidden_states": ("first", {}),
        "attention": ("none", {}),
        "representation_epochs": (3, {}),
        "representation_rate": (1e-5, {}),
        "weight_decay": (0.1, {}),
        "layer_share": (0.7, {}),
        "strategy": ("tpu", {}),
        "precision": ("mixed_bfloat16", {}),
        "seed": (2, {}),
        "skip_bad_rows": (True, {"glue_dir": "bad"}),
        "encoding": ("latin-1", {"glue_dir": "bytes"}),
    },
}
# Those that are a file or a folder of the fixture.
PATHS = (
    *("glue_dir", "data_dir", "data"),
    *("transfer", "augmented", "soft_labels"),
)
BASE = {
    TinyBert: dict(task="sst2", glue_dir="glue", student="1x8x2"),
    XtremeDistil: dict(source="sst2", glue_dir="glue", student="1x8x2"),
    BiLstm: dict(source="sst2", glue_dir="glue", embedding_dim=6, lstm_dim=3),
    ErrorPropagation: dict(
        source="sst2", glue_dir="glue", student="1x8x2", batch_size=4
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two folders in GLUE's layout with other rows, and unlabelled texts."""
    path = tmp_path_factory.mktemp("effects")
    for name, texts in (
        ("glue", ["a great film", "a dull film with a bad plot", "funny"]),
        ("other", ["a sad story", "the actor was great and funny", "dull"]),
    ):
        single = ["sentence\tlabel"]
        pairs = ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"]
        for number in range(12):
            text = texts[number % 3]
            single.append(f"{text}\t{int('great' in text or text == 'funny')}")
            pairs.append(f"{number % 2}\t1\t2\t{text}\tthe film")
        for task, rows in (("SST-2", single), ("MRPC", pairs)):
            where = path / name / task
            where.mkdir(parents=True)
            for split in ("train", "dev"):
                (where / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    for name, score in (("own", 1), ("others", 0)):
        lines = ["text,title,label,grade,key"]
        for number in range(24):
            label = number % 2 == score
            title = f"the film {number % 5}"
            labels = f"{label:d},{not label:d}"
            lines.append(f"a film,{title},{labels},k{number}")
        (path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (path / "several.csv").write_text(
        "text,label\n" + "a film,x|y\nthe plot,x\n" * 12
    )
    (path / "augmented.tsv").write_text(
        "sentence\tlabel\na great film\tpositive\na dull film\tnegative\n"
    )
    soft_labels = teachers.SoftLabels(
        range(12), [[0.25, 0.75]] * 12, ["negative", "positive"]
    )
    soft_labels.write(path / "soft.jsonl")
    soft_labels.select(range(5)).write(path / "few.jsonl")
    # As many as it takes to hold some out of them.
    shutil.copytree(path / "glue", path / "many")
    (path / "many/SST-2/train.tsv").write_text(
        "sentence\tlabel\n" + "a great film\t1\na dull plot\t0\n" * 200
    )
    # A row that is too short, and one that is no UTF-8.
    for name, row in (("bad", b"short\n"), ("bytes", b"caf\xe9\t1\n")):
        shutil.copytree(path / "glue", path / name)
        file = path / name / "SST-2/train.tsv"
        file.write_bytes(file.read_bytes() + row)
    (path / "texts").mkdir()
    (path / "texts/lines.txt").write_text(
        "A good film. It was very funny.\na dull plot\nthe ending\na sad one\n"
    )
    (path / "texts/pairs.tsv").write_text("a\tb\na good film\tthe film\n" * 2)
    return path


@pytest.fixture(scope="module")
def teacher():
    """A tiny one, whose words are far from random."""
    tokenizer = keras_hub.models.BertTokenizer(
        vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS],
        lowercase=True,
    )
    model = keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(
            vocabulary_size=tokenizer.vocabulary_size(),
            num_layers=4,
            num_heads=2,
            hidden_dim=16,
            intermediate_dim=32,
            max_sequence_length=128,
        ),
        num_classes=2,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )
    generator = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(generator.normal(0.3, 0.5, weight.shape))
    return model


class Kept:
    """A cache of the teacher's features that keeps none."""

    def __init__(self, seen):
        self._seen = seen

    def write(
        self,
        path,
        teacher,
        examples,
        features="logits",
        dtype="float32",
        **options,
    ):
        self._seen.append(
            ("kept", features, dtype, examples.ids.tolist(), options)
        )
        return self

    def from_soft_labels(self, path, soft_labels, examples, **options):
        self._seen.append(("kept", soft_labels.values.tolist(), options))
        return self

    def attach(self, examples, features=None):
        return examples


def stages_of(listed):
    """What can be seen of stages: what they say, rows, and the student."""
    return [
        (
            stage.describe(),
            stage.train.sequence_length,
            stage.train.ids.tolist(),
            [
                len(row)
                for row in np.split(
                    stage.train._values, stage.train._starts[1:]
                )
            ],
            stage.student.backbone.get_config().get("dropout"),
            stage.student.backbone.dtype_policy.name,
            stage.student.get_config().get("head"),
            len(stage.student.trainable_variables),
            fingerprint(stage.student),
        )
        for stage in listed
    ]


@functools.cache
def fingerprint(model):
    """Of a model's weights, which nothing here changes."""
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
    return digest.hexdigest()


@pytest.fixture
def observe(folder, teacher, monkeypatch):
    """What a configuration of a recipe comes to, without any training."""
    # A first run of it has done the work.
    known = observe_cache

    def look(config_class, settings):
        key = (config_class, tuple(sorted(settings.items(), key=str)))
        if key not in known:
            config = config_class(
                **{
                    name: str(folder / value)
                    if name in PATHS and value
                    else value
                    for name, value in settings.items()
                }
            )
            known[key] = of_config(config)
        return known[key]

    def of_config(config):
        seen = []
        run_folder = types.SimpleNamespace(
            path=folder / "run",
            quiet=True,
            command="a command",
            say=lambda _: None,
            writes=False,
            has_trained=lambda: False,
        )

        def load_teacher(source, *size, **head):
            seen.append(("teacher", source, *map(str, size), head))
            return teachers.LoadedTeacher(teacher, False, None)

        def run_stages(listed, run_folder, seed):
            seen.append(("run", seed, stages_of(listed)))
            return {}

        def retrieve(train, files, count, label_balance, **options):
            seen.append(("retrieve", train.texts, count, label_balance))
            return types.SimpleNamespace(examples=files.load(2))

        with monkeypatch.context() as patch:
            patch.setattr(teachers, "load_teacher", load_teacher)
            patch.setattr(tasks.retrieval, "retrieve", retrieve)
            patch.setattr(stages, "run_stages", run_stages)
            patch.setattr(teachers, "TeacherCache", Kept(seen))
            remember_students(patch, config)
            try:
                with devices.begin_devices("none", config.precision):
                    DRIVERS[type(config)](config, run_folder, seen, patch)
            except ValueError as error:
                # Bad data; it is named by file and line.
                if "train.tsv:" not in str(error):
                    raise
                seen.append(str(error))
        return seen

    return look


observe_cache = {}


def remember_students(patch, config):
    """Builds each student once: nothing here trains one."""

    def remembered(function, names):
        def make(*arguments, **options):
            key = (
                type(config),
                str([getattr(config, name) for name in names]),
                str(options),
            )
            if key not in students_made:
                students_made[key] = function(*arguments, **options)
            return students_made[key]

        return make

    if isinstance(config, TinyBert):
        patch.setattr(
            common_models,
            "create_student",
            remembered(
                common_models.create_student,
                (
                    *("student", "student_start", "student_from"),
                    *("embeddings", "seed"),
                    *("student_pooling", "student_head", "student_dropout"),
                    "precision",
                ),
            ),
        )
        return
    patch.setattr(
        common_models,
        "create_student",
        remembered(
            common_models.create_student,
            (
                *("student", "embedding_dim", "embeddings", "student_start"),
                *("student_from", "student_dropout"),
                *("embedding_positions", "freeze_embeddings", "seed"),
                "precision",
            ),
        ),
    )
    if isinstance(config, BiLstm):
        patch.setattr(
            bilstm,
            "create_student",
            remembered(
                bilstm.create_student,
                (
                    *("embedding_dim", "lstm_dim", "embeddings", "seed"),
                    *("dropout", "recurrent_dropout", "precision"),
                ),
            ),
        )


students_made = {}


def refuses(check):
    """Whether a teacher no better than chance is refused."""
    try:
        check()
    except ValueError:
        return True
    return False


def drive_tinybert(config, run_folder, seen, patch):
    patch.setattr(task_data.TaskData, "measure", lambda *_: _scores(0.9))
    # It computes nothing.
    objective = types.SimpleNamespace(
        teacher_features=lambda: ["hidden_states.1"]
    )
    patch.setattr(
        tinybert,
        "intermediate_step",
        buildable(tinybert.intermediate_step, objective),
    )
    run = experiment.Experiment(config, run_folder)
    examples = run.read(config.main_task)
    tinybert.distil(run, examples)
    seen.append(
        (
            examples.dev.texts,
            examples.validation.texts,
            examples.task.metrics,
            run.test_files and sorted(run.test_files.missing),
        )
    )
    patch.setattr(task_data.TaskData, "measure", lambda *_: _scores(-1.0))
    loaded = teachers.LoadedTeacher(None, True, None)
    seen.append(("refused", refuses(lambda: run.fine_tune(loaded, examples))))


def buildable(make_stage, objective):
    """Makes stages that say what they look at without being built."""

    def make(*arguments):
        stage = make_stage(*arguments)
        stage.build = lambda: types.SimpleNamespace(objective=objective)
        return stage

    return make


def drive_xtremedistil(config, run_folder, seen, patch):
    drive(xtremedistil, config, run_folder, seen, patch)


def drive_bilstm(config, run_folder, seen, patch):
    def create(experiment, teacher):
        student = create_student(experiment, teacher)
        known = student.backbone.get_config()
        seen.append({k: v for k, v in known.items() if k != "name"})
        return student

    create_student = bilstm.create_student
    patch.setattr(bilstm, "create_student", create)
    drive(bilstm, config, run_folder, seen, patch)


def drive(recipe, config, run_folder, seen, patch):
    """Runs a recipe as far as its report."""
    patch.setattr(task_data.TaskData, "measure", lambda *_: _scores(0.9))
    patch.setattr(task_data.TaskData, "score", lambda *_: _scores(0.9))
    fine_tune = experiment.Experiment.fine_tune

    def see(self, loaded, data, name="teacher"):
        fine_tune(self, loaded, data, name)
        seen.append(
            (
                data.task.metrics,
                data.train.ids.tolist(),
                data.validation.ids.tolist(),
                data.dev.ids.tolist(),
            )
        )
        with pytest.MonkeyPatch.context() as worse:
            worse.setattr(
                task_data.TaskData, "measure", lambda *_: _scores(-1.0)
            )
            known = teachers.LoadedTeacher(loaded.classifier, True, None)
            seen.append(
                ("refused", refuses(lambda: fine_tune(self, known, data)))
            )

    patch.setattr(experiment.Experiment, "fine_tune", see)
    begin_within(experiment, run_folder, patch)
    transfer = targets.transfer

    def transferred(*arguments):
        found = transfer(*arguments)
        seen.append(("target", found))
        return found

    patch.setattr(targets, "transfer", transferred)
    # It ends where nothing is to be written.
    recipe.run(config, run_folder.path, quiet=True)


def begin_within(experiment, run_folder, patch):
    """Experiments begin in a folder that is none, and check nothing before."""
    patch.setattr(experiment, "begin_devices", lambda *_: _within(None))
    patch.setattr(
        experiment.stages, "RunFolder", lambda *_: _within(run_folder)
    )
    patch.setattr(xtremedistil.Checks, "check", lambda *_: None)
    patch.setattr(bilstm, "check_inputs", lambda *_: None)


def drive_error_propagation(config, run_folder, seen, patch):
    def layer_errors(teacher, student, *halves):
        seen.append([half.ids.tolist() for half in halves])
        return [
            {"layer": 1, "error": 0, "error_of_its_own": 0, "from_below": 0}
        ]

    begin_within(experiment, run_folder, patch)
    run_folder.writes = True
    patch.setattr(experiment, "on_one_device", lambda model: model)
    patch.setattr(error_propagation.evaluation, "layer_errors", layer_errors)
    for name in ("write_json", "write_text"):
        patch.setattr(experiment.io, name, lambda *_: None)
    error_propagation.run(config, run_folder.path, quiet=True)


class _within:
    def __init__(self, value):
        self._value = value

    def __enter__(self):
        return self._value

    def __exit__(self, *_):
        return False


def _scores(value):
    names = ("accuracy", "matthews", "f1", "micro_f1", "pearson_spearman")
    return dict.fromkeys(names, value)


DRIVERS = {
    TinyBert: drive_tinybert,
    XtremeDistil: drive_xtremedistil,
    BiLstm: drive_bilstm,
    ErrorPropagation: drive_error_propagation,
}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        pytest.param(config, name, id=f"{config.__module__}-{name}")
        for config in EFFECTS
        for name in config.__dataclass_fields__
    ],
)
def test_every_option_has_an_effect(config, name, observe):
    assert name in EFFECTS[config], f"{name} of {config} has no entry here"
    value, common = EFFECTS[config][name]
    base = {**BASE[config], **common}
    if "data" in common:
        del base[config.names_task]
    if config is not ErrorPropagation:
        base.setdefault("sequence_length", 16)
    before, after = (
        observe(config, base),
        observe(config, {**base, name: value}),
    )
    assert before != after


@pytest.mark.parametrize("config", EFFECTS)
def test_what_is_observed_changes_with_nothing_else(config, observe):
    """Else the test above could not fail."""
    settings = dict(BASE[config], sequence_length=16)
    first = observe(config, settings)
    observe_cache.clear()
    assert observe(config, settings) == first
    assert set(EFFECTS[config]) <= set(config.__dataclass_fields__)


# Those of the study's own, of which each run of it has another, and what is of
# one source alone.
OF_STUDY = (*study.SET_BY_STUDY, "targets", "soft_labels")


@pytest.mark.parametrize(
    "name", [n for n in XtremeDistil.__dataclass_fields__ if n not in OF_STUDY]
)
def test_a_study_hands_every_option_on(name, monkeypatch, tmp_path):
    value, common = EFFECTS[XtremeDistil][name]
    seen = []

    def check(self, config):
        self.task_inputs["sst2"] = None
        self.teacher_inputs["sst2"] = {"teacher": None, "encoder": None}

    def train_teacher(config, run_dir, quiet, inputs):
        seen.append(config)
        return run_dir / "teacher"

    def distil(config, run_dir, **_):
        seen.append(config)

    def transfer(experiment, target, make_student, kinds):
        seen.append(experiment.config)
        return {
            "target": target,
            "metric": "accuracy",
            "models": {"any": {"accuracy": 0.5}},
        }

    monkeypatch.setattr(study.Checks, "check", check)
    monkeypatch.setattr(study._Study, "_inputs_of_student", lambda *_: {})
    monkeypatch.setattr(study, "begin_devices", lambda *_: _within(None))
    monkeypatch.setattr(experiment, "begin_devices", lambda *_: _within(None))
    monkeypatch.setattr(study.recipe, "train_teacher", train_teacher)
    monkeypatch.setattr(study.recipe, "run", distil)
    monkeypatch.setattr(study.targets, "transfer", transfer)
    monkeypatch.setattr(study.ranking, "draw", lambda *_: None)
    settings = {
        **BASE[XtremeDistil],
        "targets": "sst2",
        **common,
        name: value,
    }
    settings["sources"] = settings.pop("source")
    settings["transfers"] = settings.pop("transfer", "own")
    study.run(study.Settings(**settings), tmp_path, quiet=True)
    assert any(getattr(config, name) == value for config in seen)


def test_a_trained_head_is_not_fine_tuned(monkeypatch, teacher):
    """What is known of the teacher is known when it is there."""
    loaded = teachers.LoadedTeacher(teacher, True, None)
    for name, value in (
        ("teacher_epochs", 5),
        ("teacher_rate", 1e-5),
        ("teacher_batch_size", 8),
    ):
        flag = "--" + name.replace("_", "-")
        for config in (TinyBert, XtremeDistil, BiLstm):
            with pytest.raises(ValueError, match=f"{flag} has no effect on a"):
                common_models.check_fine_tuning(config(**{name: value}), loaded)
            common_models.check_fine_tuning(config(teacher_epochs=0), loaded)
            common_models.check_fine_tuning(
                config(**{name: value}),
                teachers.LoadedTeacher(teacher, False, None),
            )
    monkeypatch.setattr(teachers, "load_teacher", lambda *_, **__: loaded)
    with pytest.raises(ValueError, match="--teacher-epochs has no effect on a"):
        common_models.load_teacher(
            XtremeDistil(teacher_epochs=5), tasks.get_task("sst2")
        )
