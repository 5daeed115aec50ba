"""Teacher, baseline and student side by side: quality, size and speed."""

from keras_distill.evaluation.compare import compare
from keras_distill.evaluation.comparison import Comparison
from keras_distill.evaluation.comparison import aggregate_comparisons
from keras_distill.evaluation.report import write_report

__all__ = [
    "Comparison",
    "aggregate_comparisons",
    "compare",
    "write_report",
]
