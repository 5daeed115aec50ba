"""Tables of words, as the tests compare them."""

import numpy as np


def words_of(backbone):
    return np.array(backbone.token_embedding.embeddings, "float64")


def best_approximation(table, rank):
    left, values, right = np.linalg.svd(table, full_matrices=False)
    return left[:, :rank] * values[:rank] @ right[:rank]
