"""What any system says of each example, as targets and in files."""

from keras_distill.teachers.soft_labels.soft_labels import SoftLabels

__all__ = ["SoftLabels"]
