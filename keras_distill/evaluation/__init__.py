"""Teacher, baseline and student side by side: quality, size and speed."""

from keras_distill.evaluation.compare import compare
from keras_distill.evaluation.comparison import Comparison
from keras_distill.evaluation.comparison import aggregate_comparisons
from keras_distill.evaluation.flops import count_flops
from keras_distill.evaluation.glue_report import write_glue_report
from keras_distill.evaluation.glue_table import GlueTable
from keras_distill.evaluation.heat_map import heat_map
from keras_distill.evaluation.layer_errors import layer_errors
from keras_distill.evaluation.report import write_report

__all__ = [
    "Comparison",
    "GlueTable",
    "aggregate_comparisons",
    "compare",
    "count_flops",
    "heat_map",
    "layer_errors",
    "write_glue_report",
    "write_report",
]
