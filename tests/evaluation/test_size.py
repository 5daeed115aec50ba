import numpy as np

from keras_distill import students
from keras_distill.evaluation import size


def test_parameters_by_hand(make_classifier, tokenizer):
    model = make_classifier(num_layers=3, hidden_dim=16)
    # Words, 32 positions, 2 segments, scale and offset of the normalisation.
    embeddings = (tokenizer.vocabulary_size() + 32 + 2) * 16 + 2 * 16
    # Query, key, value, output; two dense layers of 32; two normalisations.
    layer = 4 * (16 * 16 + 16) + (16 * 32 + 32) + (32 * 16 + 16) + 2 * 2 * 16
    pooler = 16 * 16 + 16
    head = 16 * 2 + 2
    counted = size.count_parameters(model)
    assert counted.embeddings == embeddings
    assert counted.encoder == 3 * layer
    assert counted.total == embeddings + 3 * layer + pooler + head


def test_parameters_of_a_recurrent_student(make_classifier, tokenizer):
    model = students.create_bilstm_student(
        make_classifier(hidden_dim=16), embedding_dim=6, lstm_dim=5
    )
    # Four gates in each of two directions; the projection.
    lstm = 2 * 4 * (5 * (6 + 5) + 5)
    projection = 10 * 16 + 16
    counted = size.count_parameters(model)
    assert counted.embeddings == tokenizer.vocabulary_size() * 6
    assert counted.encoder == lstm + projection
    assert counted.total == (
        counted.embeddings + lstm + projection + 16 * 2 + 2
    )


def test_file_is_the_weights_in_float32_and_little_more(make_classifier):
    model = make_classifier(num_layers=1, hidden_dim=128)
    weights = 4 * model.count_params()
    assert weights < size.count_file_bytes(model) < 1.2 * weights


def test_file_leaves_out_the_optimizer(make_classifier):
    model = make_classifier(num_layers=1)
    before = size.count_file_bytes(model)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    assert size.count_file_bytes(model) == before
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
