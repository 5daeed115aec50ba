"""Reading, tokenising, batching and measuring the tasks' data."""

from keras_distill.tasks import retrieval
from keras_distill.tasks.chance import chance_level
from keras_distill.tasks.concatenate import concatenate
from keras_distill.tasks.examples import Examples
from keras_distill.tasks.join_tasks import join_tasks
from keras_distill.tasks.labelled_folder import load_folder
from keras_distill.tasks.loading import get_task
from keras_distill.tasks.loading import load
from keras_distill.tasks.loading import task_names
from keras_distill.tasks.metrics import evaluate_metrics
from keras_distill.tasks.predict import predict_logits
from keras_distill.tasks.splits import Splits
from keras_distill.tasks.task import Task
from keras_distill.tasks.text_files import TextFiles
from keras_distill.tasks.tokenized_examples import TokenizedExamples

__all__ = [
    "Examples",
    "Splits",
    "Task",
    "TextFiles",
    "TokenizedExamples",
    "chance_level",
    "concatenate",
    "evaluate_metrics",
    "get_task",
    "join_tasks",
    "load",
    "load_folder",
    "predict_logits",
    "retrieval",
    "task_names",
]
