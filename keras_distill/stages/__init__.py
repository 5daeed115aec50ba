"""A run as a list of stages, which can be stopped at any moment."""

from keras_distill.stages.run_folder import RunFolder
from keras_distill.stages.run_stages import Interrupted
from keras_distill.stages.run_stages import run_stages
from keras_distill.stages.stage import Stage
from keras_distill.stages.stage_result import StageResult
from keras_distill.stages.stage_result import shipped_weights
from keras_distill.stages.stage_table import stage_table

__all__ = [
    "Interrupted",
    "RunFolder",
    "Stage",
    "StageResult",
    "run_stages",
    "shipped_weights",
    "stage_table",
]
