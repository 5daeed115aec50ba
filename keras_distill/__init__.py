"""Distils BERT-like Keras models."""

from keras_distill import callbacks
from keras_distill import corpora
from keras_distill import data
from keras_distill import evaluation
from keras_distill import export
from keras_distill import features
from keras_distill import layer_map
from keras_distill import losses
from keras_distill import models
from keras_distill import optimizers
from keras_distill import packing
from keras_distill import stages
from keras_distill import students
from keras_distill import tasks
from keras_distill import teachers
from keras_distill.distiller import Distiller
from keras_distill.multi_task_distiller import MultiTaskDistiller
from keras_distill.optimizers import schedules
from keras_distill.train_steps import distribution

__version__ = "0.1.0"

__all__ = [
    "Distiller",
    "MultiTaskDistiller",
    "callbacks",
    "corpora",
    "data",
    "distribution",
    "evaluation",
    "export",
    "features",
    "layer_map",
    "losses",
    "models",
    "optimizers",
    "packing",
    "schedules",
    "stages",
    "students",
    "tasks",
    "teachers",
]
