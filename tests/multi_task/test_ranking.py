"""A ranking among other tasks: candidates of a query share its batches."""

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from keras_distill import MultiTaskDistiller
from keras_distill import data
from keras_distill import models
from keras_distill import tasks
from keras_distill.tasks import Examples

TASK = tasks.RankingTask(
    "answers", ("question", "sentence"), None, ("accuracy", "mrr"), 16
)
OTHER = tasks.get_task("rte")
LABELS = np.array([1, 2, -1, -3, -2, 3, -1, -3], "int32")
TEXTS = (
    [f"the film {'very ' * abs(label)}" for label in LABELS],
    ["good", "bad", "funny", "sad", "dull", "great", "was", "story"],
)


@pytest.fixture
def made(make_classifier, tokenizer):
    """Teacher and student of both tasks, and their rows."""
    found = []
    for _ in range(2):
        classifier = make_classifier(num_layers=1)
        found.append(
            models.MultiTaskModel.for_tasks(
                classifier.backbone,
                classifier.preprocessor,
                [TASK, OTHER],
                dropout=0.0,
            )
        )
    rows = {
        "answers": TASK.tokenize(Examples(TEXTS, LABELS), tokenizer, 16),
        "rte": OTHER.tokenize(Examples(TEXTS, np.arange(8) % 2), tokenizer, 16),
    }
    return *found, rows


def test_batches_hold_whole_queries(made):
    *_, rows = made
    batches = data.MultiTaskExamples(rows).batches(3, shuffle=True, seed=2)
    queries = [
        set(np.abs(y))
        for batch in batches
        for name, (_, y, *_) in batch.items()
        if name == "answers"
    ]
    assert len(queries) > 1
    assert sorted(query for one in queries for query in one) == [1, 2, 3]


def test_its_losses_are_over_the_candidates_of_a_query(made, eager):
    teacher, student, rows = made
    distiller = MultiTaskDistiller(
        student,
        {"answers": teacher.task_models["answers"]},
        TASK.output_distillation(soft_loss="cross_entropy"),
        student_loss_weight=0.25,
    )
    distiller.compile(
        keras.optimizers.SGD(0.0),
        loss={"answers": TASK.label_loss(), "rte": OTHER.label_loss()},
    )
    ((x, y),) = rows["answers"].iterate(8)
    scores, soft = (
        keras.ops.convert_to_numpy(
            model.task_models["answers"](x, training=False)
        )[:, 0]
        for model in (student, teacher)
    )
    hard, follow = [], []
    for query in (1, 2, 3):
        ours = np.flatnonzero(np.abs(y) == query)
        chosen = log_softmax(scores[ours])
        hard.append(-chosen[y[ours] > 0].sum())
        follow.append(-np.sum(np.exp(log_softmax(soft[ours])) * chosen))
    logs = distiller.fit(rows, batch_size=8, verbose=0).history
    assert logs["answers/student_loss"][0] == pytest.approx(
        np.mean(hard), rel=1e-5
    )
    assert logs["answers/loss"][0] == pytest.approx(
        0.25 * np.mean(hard) + 0.75 * np.mean(follow), rel=1e-5
    )
    assert "over the candidates of a query" in distiller.plan()[0]
