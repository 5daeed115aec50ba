"""Texts of several labels from a file to a student that never sees a label."""

import keras
import pytest

from keras_distill import tasks
from keras_distill.distiller import Distiller

ROWS = [("good film", "praise|film"), ("good", "praise"), ("film", "film")]
ROWS += [("the dull plot", ""), ("a good film", "film|praise")]


@pytest.mark.tensorflow("how far it gets hangs on random starts")
def test_a_student_learns_several_labels_of_its_teacher(
    tmp_path, make_classifier
):
    rows = "".join(f"{text},{labels}\n" for text, labels in 16 * ROWS)
    (tmp_path / "posts.csv").write_text("text,label\n" + rows)
    task, splits = tasks.load_data(
        tmp_path / "posts.csv", label_separator="|", dev_share=0.25
    )
    teacher = make_classifier(num_layers=1, hidden_dim=16)
    student = make_classifier(num_layers=1, hidden_dim=8)
    train = task.tokenize(splits["train"], teacher.preprocessor)
    dev = task.tokenize(splits["dev"], teacher.preprocessor)
    train.check_model(teacher)
    _, y = next(iter(train.batches(4)))
    assert (y.shape, y.dtype) == ((4, 2), "float32")

    chance = task.chance(dev.labels)

    teacher.compile(keras.optimizers.Adam(0.005), task.label_loss(), metrics=[])
    keras.Model.fit(teacher, train.batches(10), epochs=20, verbose=0)
    targets = task.predict(teacher, dev)
    assert task.score(dev, targets)["micro_f1"] > chance

    distiller = Distiller(
        teacher, student, task.output_distillation(), student_loss_weight=0
    )
    distiller.compile(keras.optimizers.Adam(0.01), loss=None)
    logs = distiller.fit(train.batches(10), epochs=40, verbose=0).history
    # It cannot fall below what is left open by the teacher itself.
    assert logs["logits_loss"][-1] < 0.7 * logs["logits_loss"][0]
    outputs = task.predict(student, dev)
    assert task.agreement(targets, outputs) > 0.7
    assert task.evaluate(student, dev)["micro_f1"] > chance
