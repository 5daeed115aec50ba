"""Reading, tokenising, batching and measuring the tasks' data."""

from keras_distill.corpora import retrieval
from keras_distill.data.concatenate import concatenate
from keras_distill.data.examples import Examples
from keras_distill.data.readers.text_files import TextFiles
from keras_distill.data.splits import Splits
from keras_distill.data.tagged_examples import TaggedExamples
from keras_distill.data.tokenized.predict import predict_logits
from keras_distill.data.tokenized.predict import predict_tags
from keras_distill.data.tokenized.tokenized_examples import TokenizedExamples
from keras_distill.data.tokenized.tokenized_tags import TokenizedTags
from keras_distill.tasks.classification import ClassificationTask
from keras_distill.tasks.evaluating import chance_level
from keras_distill.tasks.evaluating import evaluate_metrics
from keras_distill.tasks.folder_tasks import FOLDER_TASKS
from keras_distill.tasks.further_rows import read_rows
from keras_distill.tasks.glue import GLUE_TASKS
from keras_distill.tasks.glue_files import glue_folder
from keras_distill.tasks.glue_submission import GLUE_TEST_FILES
from keras_distill.tasks.glue_submission import GlueTestFile
from keras_distill.tasks.glue_submission import glue_test_files
from keras_distill.tasks.glue_submission import write_glue_predictions
from keras_distill.tasks.glue_submission import write_glue_submission
from keras_distill.tasks.iob_files import find_tags
from keras_distill.tasks.iob_files import load_iob
from keras_distill.tasks.kinds import register_kind
from keras_distill.tasks.labelled_folder import load_folder
from keras_distill.tasks.loading import get_task
from keras_distill.tasks.loading import join_tasks
from keras_distill.tasks.loading import load
from keras_distill.tasks.loading import task_names
from keras_distill.tasks.metrics import Metric
from keras_distill.tasks.multi_label import MultiLabelTask
from keras_distill.tasks.own_data import load_data
from keras_distill.tasks.ranking import RankingTask
from keras_distill.tasks.regression import RegressionTask
from keras_distill.tasks.squad_ranking import load_squad_ranking
from keras_distill.tasks.tagging import WIKIANN_TAGS
from keras_distill.tasks.tagging import TaggingTask
from keras_distill.tasks.tagging import evaluate_tags
from keras_distill.tasks.tagging import tagging_task
from keras_distill.tasks.task import Task
from keras_distill.tasks.task_file import load_task_file
from keras_distill.tasks.text_task import TextTask
from keras_distill.tasks.wikiann import load_wikiann

__all__ = [
    "ClassificationTask",
    "FOLDER_TASKS",
    "GLUE_TASKS",
    "GLUE_TEST_FILES",
    "Examples",
    "GlueTestFile",
    "Metric",
    "MultiLabelTask",
    "RankingTask",
    "RegressionTask",
    "Splits",
    "TaggedExamples",
    "TaggingTask",
    "Task",
    "TextFiles",
    "TextTask",
    "TokenizedExamples",
    "TokenizedTags",
    "WIKIANN_TAGS",
    "chance_level",
    "concatenate",
    "evaluate_metrics",
    "evaluate_tags",
    "find_tags",
    "get_task",
    "glue_folder",
    "glue_test_files",
    "join_tasks",
    "load",
    "load_squad_ranking",
    "load_data",
    "load_folder",
    "load_iob",
    "load_task_file",
    "load_wikiann",
    "predict_logits",
    "predict_tags",
    "read_rows",
    "register_kind",
    "retrieval",
    "tagging_task",
    "task_names",
    "write_glue_predictions",
    "write_glue_submission",
]
