"""Made-up tasks, a tiny teacher and an experiment for XtremeDistil."""

import pytest

from keras_distill import export
from keras_distill import stages
from recipes.common.experiment import Experiment
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.recipe import create_student


@pytest.fixture
def stage_names():
    """The stages on the source task, after its teacher's."""
    return [
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
        *("--labels-epochs", "1"),
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


@pytest.fixture
def experiment(tmp_path, data_dir):
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
        yield Experiment(config, folder)


@pytest.fixture
def prepared(experiment, make_classifier):
    """A teacher, a student and the data of the source task."""
    teacher = make_classifier(num_layers=3)
    student = create_student(experiment, teacher)
    data = experiment.tokenize(
        experiment.read("sst2"), teacher.preprocessor.tokenizer
    )
    return teacher, student, data
