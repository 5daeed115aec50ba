"""Made-up tasks, tiny teachers and an experiment for XtremeDistil."""

import keras
import pytest

from keras_distill import export
from keras_distill import stages
from recipes.common.experiment import Experiment
from recipes.xtremedistil.config import Config
from recipes.xtremedistil.stage_list import Lesson
from recipes.xtremedistil.stage_list import create_student


@pytest.fixture(scope="session")
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
        *("--sequence-length", "16", "--batch-size", "16"),
    ]


@pytest.fixture
def arguments(options, made_teacher):
    return [*options, "--teacher", str(made_teacher)]


@pytest.fixture(scope="session")
def made_untrained(tmp_path_factory, make_classifier):
    """A teacher whose head is of random numbers, with and without it."""
    keras.utils.set_random_seed(7)
    folder = tmp_path_factory.mktemp("untrained")
    model = make_classifier(num_layers=2)
    export.to_preset(model, folder / "whole")
    export.to_encoder_preset(model, folder / "encoder")
    return folder


@pytest.fixture
def untrained(options, made_untrained):
    """A command with such a teacher, which needs no training."""
    return [
        *options,
        *("--teacher", str(made_untrained / "whole")),
        "--allow-untrained-teacher",
    ]


@pytest.fixture
def experiment(tmp_path, data_dir):
    config = Config(
        source="sst2",
        glue_dir=str(data_dir),
        student="1x8x2",
        representation_epochs=1,
        logits_epochs=1,
        labels_epochs=1,
        sequence_length=16,
        batch_size=16,
    )
    with stages.RunFolder(tmp_path / "run", quiet=True) as folder:
        yield Experiment(config, folder)


@pytest.fixture
def prepared(experiment, make_classifier):
    """What a tiny student learns of a tiny teacher."""
    teacher = make_classifier(num_layers=2)
    examples = experiment.read("sst2")
    data = experiment.tokenize(examples, teacher.preprocessor.tokenizer)
    return Lesson(
        examples,
        data,
        data.train,
        data.validation,
        teacher,
        create_student(experiment, teacher),
        experiment.folder.path / "logits",
    )
