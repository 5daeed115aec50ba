"""A folder of a tiny fine-tuned BERT, as `transformers` saves it."""

import json
import shutil

import keras_hub
import numpy as np
import pytest

from keras_distill import models
from tests.hugging_face_folder import write_folder

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a good bad film".split()


def _classifier(task_class):
    backbone = models.BertBackbone(
        vocabulary_size=len(WORDS),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=12,
        max_sequence_length=10,
    )
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        keras_hub.models.BertTokenizer(WORDS, lowercase=True),
        sequence_length=8,
    )
    classifier = task_class(backbone, 3, preprocessor=preprocessor)
    generator = np.random.default_rng(2)
    for weight in classifier.weights:
        weight.assign(generator.normal(0.0, 0.5, weight.shape))
    return classifier


@pytest.fixture(scope="session")
def text_classifier(tmp_path_factory):
    """A text classifier of Keras and its folder, which no test changes."""
    classifier = _classifier(models.BertTextClassifier)
    path = tmp_path_factory.mktemp("text") / "teacher"
    write_folder(path, classifier, "BertForSequenceClassification")
    return classifier, path


@pytest.fixture(scope="session")
def token_classifier(tmp_path_factory):
    """A token classifier of Keras and its folder, which no test changes."""
    classifier = _classifier(models.TokenClassifier)
    path = tmp_path_factory.mktemp("token") / "teacher"
    write_folder(path, classifier, "BertForTokenClassification")
    return classifier, path


@pytest.fixture
def copy_folder(tmp_path):
    """Copies a folder and changes its config."""

    def copy(folder, **config):
        path = tmp_path / "teacher"
        shutil.copytree(folder, path)
        file = path / "config.json"
        whole = json.loads(file.read_text()) | config
        file.write_text(
            json.dumps({k: v for k, v in whole.items() if v is not ...})
        )
        return path

    return copy
