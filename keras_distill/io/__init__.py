"""What all rooms need of files and terminals; nothing about models."""

from keras_distill.io.console import drop_lost_output
from keras_distill.io.console import make_console
from keras_distill.io.console import show
from keras_distill.io.hashes import FileHashes
from keras_distill.io.hashes import content_hash
from keras_distill.io.json_file import plain
from keras_distill.io.json_file import read_json
from keras_distill.io.json_file import write_json
from keras_distill.io.markdown import markdown_table
from keras_distill.io.saving import set_aside
from keras_distill.io.saving import write_text

__all__ = [
    "FileHashes",
    "content_hash",
    "drop_lost_output",
    "make_console",
    "markdown_table",
    "plain",
    "read_json",
    "set_aside",
    "show",
    "write_json",
    "write_text",
]
