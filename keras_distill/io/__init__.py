"""What all rooms need of files and terminals; nothing about models."""

from keras_distill.io.aside import set_aside
from keras_distill.io.console import drop_lost_output
from keras_distill.io.console import make_console
from keras_distill.io.console import show

__all__ = ["drop_lost_output", "make_console", "set_aside", "show"]
