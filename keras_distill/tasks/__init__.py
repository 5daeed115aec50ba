"""Reading, tokenising, batching and measuring the tasks' data."""

from keras_distill.tasks.chance import chance_level
from keras_distill.tasks.examples import Examples
from keras_distill.tasks.loading import get_task
from keras_distill.tasks.loading import load
from keras_distill.tasks.loading import task_names
from keras_distill.tasks.metrics import evaluate_metrics
from keras_distill.tasks.predict import predict_logits
from keras_distill.tasks.splits import Splits
from keras_distill.tasks.task import Task
from keras_distill.tasks.tokenized_examples import TokenizedExamples

__all__ = [
    "Examples",
    "Splits",
    "Task",
    "TokenizedExamples",
    "chance_level",
    "evaluate_metrics",
    "get_task",
    "load",
    "predict_logits",
    "task_names",
]
