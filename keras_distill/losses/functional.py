"""The arithmetic of distillation, as pure functions of tensors.

Every function computes in float32, leaves the batch axis alone and gives one
value for each example, so that sample weights and batch means stay with the
caller; those of ranking alone look at all candidates of a query. A `mask` is
`1` (or `True`) at real tokens and `0` at padding; a mean over tokens is a mean
over real tokens, so padding never changes a value. An example without one real
token has the value 0.

`B` is the batch size, `L` the sequence length, `H` the number of heads, `D` a
width and `C` the number of classes.
"""

from keras import ops

# MobileBERT's released code adds it to the variance of a feature map.
FEATURE_MAP_EPSILON = 1e-12
# BERT's script adds it to the number of masked pieces that it divides by.
MASKED_LM_EPSILON = 1e-5
# TinyBERT's script sets attention scores at or below this value to 0 before
# it compares them (task_distill.py, general_distill.py).
TINYBERT_SCORE_THRESHOLD = -1e2
# Where no row counts, a mean over none of them is 0.
_LEAST_SHARE = 1e-9


def soft_targets_kl(teacher_logits, student_logits, temperature=1.0):
    """Kullback-Leibler divergence of softened class distributions.

    `T^2 * sum_c p_c * (log p_c - log q_c)` with `p = softmax(teacher / T)`
    and `q = softmax(student / T)`. The factor `T^2` keeps the size of the
    gradient independent of `T` (Hinton et al. 2015,
    https://arxiv.org/abs/1503.02531).

    Args:
        teacher_logits: Tensor `(..., C)`.
        student_logits: Tensor `(..., C)`.
        temperature: float. `T`, more than 0.

    Returns:
        float32 tensor `(...)`, in nats times `T^2`.
    """
    teacher = log_softmax(teacher_logits, temperature)
    student = log_softmax(student_logits, temperature)
    divergence = ops.sum(ops.exp(teacher) * (teacher - student), axis=-1)
    return divergence * temperature**2


def soft_cross_entropy(teacher_logits, student_logits, temperature=1.0):
    """Cross-entropy of the student against the teacher's soft targets.

    `-sum_c softmax(teacher / T)_c * log softmax(student / T)_c`, without a
    factor `T^2`: TinyBERT's prediction loss.

    Args:
        teacher_logits: Tensor `(..., C)`.
        student_logits: Tensor `(..., C)`.
        temperature: float. `T`, more than 0.

    Returns:
        float32 tensor `(...)`, in nats.
    """
    teacher = log_softmax(teacher_logits, temperature)
    student = log_softmax(student_logits, temperature)
    return -ops.sum(ops.exp(teacher) * student, axis=-1)


def soft_binary_kl(teacher_logits, student_logits, temperature=1.0):
    """Kullback-Leibler divergence of independent yes/no labels, summed.

    `T^2 * sum_c KL(Bernoulli(sigmoid(teacher_c / T)) ||
    Bernoulli(sigmoid(student_c / T)))`: soft targets for multi-label tasks.

    Args:
        teacher_logits: Tensor `(..., C)`.
        student_logits: Tensor `(..., C)`.
        temperature: float. `T`, more than 0.

    Returns:
        float32 tensor `(...)`, in nats times `T^2`.
    """
    teacher = as_float32(teacher_logits) / temperature
    student = as_float32(student_logits) / temperature
    yes, no = ops.sigmoid(teacher), ops.sigmoid(-teacher)
    divergence = yes * (ops.log_sigmoid(teacher) - ops.log_sigmoid(student))
    divergence += no * (ops.log_sigmoid(-teacher) - ops.log_sigmoid(-student))
    return ops.sum(divergence, axis=-1) * temperature**2


def soft_binary_cross_entropy(teacher_logits, student_logits, temperature=1.0):
    """Binary cross-entropy against the teacher's soft labels, summed.

    `-sum_c (p_c * log q_c + (1 - p_c) * log(1 - q_c))` with
    `p = sigmoid(teacher / T)` and `q = sigmoid(student / T)`.

    Args:
        teacher_logits: Tensor `(..., C)`.
        student_logits: Tensor `(..., C)`.
        temperature: float. `T`, more than 0.

    Returns:
        float32 tensor `(...)`, in nats.
    """
    teacher = as_float32(teacher_logits) / temperature
    student = as_float32(student_logits) / temperature
    entropy = ops.sigmoid(teacher) * ops.log_sigmoid(student)
    entropy += ops.sigmoid(-teacher) * ops.log_sigmoid(-student)
    return -ops.sum(entropy, axis=-1)


def label_cross_entropy(labels, student_logits):
    """Cross-entropy of the student against labels.

    `-log softmax(student)_label`.

    Args:
        labels: int tensor `(...)`.
        student_logits: Tensor `(..., C)`.

    Returns:
        float32 tensor `(...)`, in nats.
    """
    student = log_softmax(student_logits)
    labels = ops.expand_dims(ops.cast(labels, "int32"), axis=-1)
    return -ops.squeeze(ops.take_along_axis(student, labels, axis=-1), axis=-1)


def mixed_cross_entropy(labels, teacher_logits, student_logits, alpha=0.5):
    """Cross-entropy of the student against labels and teacher mixed.

    `-sum_c (alpha * onehot(label)_c + (1 - alpha) * softmax(teacher)_c) *
    log softmax(student)_c`, which is the same mix of `label_cross_entropy`
    and `soft_cross_entropy`: the target of masked pieces in MobileBERT's
    pre-training distillation (https://arxiv.org/abs/2004.02984).

    Args:
        labels: int tensor `(...)`.
        teacher_logits: Tensor `(..., C)`.
        student_logits: Tensor `(..., C)`.
        alpha: float from 0 to 1. The share of the labels. Defaults to `0.5`.

    Returns:
        float32 tensor `(...)`, in nats.
    """
    hard = label_cross_entropy(labels, student_logits)
    soft = soft_cross_entropy(teacher_logits, student_logits)
    return alpha * hard + (1.0 - alpha) * soft


def candidate_log_softmax(scores, queries):
    """Log-probabilities of candidates among those of the same query.

    `s_i - log sum_j exp(s_j)` over the candidates `j` of the query of `i`.

    Args:
        scores: Tensor `(B,)` or `(B, 1)`.
        queries: Tensor `(B,)`. The number of each candidate's query.

    Returns:
        float32 tensor `(B,)`.
    """
    scores = ops.reshape(as_float32(scores), (-1,))
    return scores - _of_query(scores, _together(queries))


def ranking_cross_entropy(labels, scores):
    """Cross-entropy of scores against the right candidates of each query.

    `-log sum_right P_i` with `P` the softmax over the candidates of the query
    (`candidate_log_softmax`), the same for all of them. Of two candidates that
    is `softplus(s_wrong - s_right)`. Each value is scaled so that the mean
    over rows is the mean over queries, however many candidates they have;
    those without a right candidate count nothing.

    Args:
        labels: Tensor `(B,)`. The number of each candidate's query, from 1;
            negative where it is not right.
        scores: Tensor `(B,)` or `(B, 1)`.

    Returns:
        float32 tensor `(B,)`, in nats.
    """
    labels = ops.reshape(labels, (-1,))
    together = _together(ops.abs(labels))
    is_right = labels > 0
    with_right = ops.logical_and(together, is_right[None, :])
    counts = ops.any(with_right, axis=1)
    log_probabilities = candidate_log_softmax(scores, ops.abs(labels))
    values = -_of_query(log_probabilities, with_right)
    # A query without one has no logarithm, and its gradient is none.
    values = ops.where(counts, values, 0.0)
    return values * _query_shares(together, counts)


def ranking_kl(teacher_scores, student_scores, queries, temperature=1.0):
    """Kullback-Leibler divergence of the candidates of each query.

    `T^2 * sum_i p_i * (log p_i - log q_i)` over the candidates of a query, with
    `p` and `q` the softmax of the teacher's and the student's scores divided
    by `T`, the same for all of them. Each value is scaled so that the mean over
    rows is the mean over queries.

    Args:
        teacher_scores: Tensor `(B,)` or `(B, 1)`.
        student_scores: Tensor `(B,)` or `(B, 1)`.
        queries: Tensor `(B,)`. The number of each candidate's query, from 1;
            what has the number 0 counts nothing.
        temperature: float. `T`, more than 0.

    Returns:
        float32 tensor `(B,)`, in nats times `T^2`.
    """
    teacher, student, together, shares = _softened_candidates(
        teacher_scores, student_scores, queries, temperature
    )
    parts = ops.exp(teacher) * (teacher - student)
    return _sum_of_query(parts, together) * shares * temperature**2


def ranking_soft_cross_entropy(
    teacher_scores, student_scores, queries, temperature=1.0
):
    """Cross-entropy against the teacher's soft choice among candidates.

    `-sum_i p_i * log q_i`, as in `ranking_kl` but without the teacher's entropy
    and without a factor `T^2`.

    Args:
        teacher_scores: Tensor `(B,)` or `(B, 1)`.
        student_scores: Tensor `(B,)` or `(B, 1)`.
        queries: Tensor `(B,)`. As for `ranking_kl`.
        temperature: float. `T`, more than 0.

    Returns:
        float32 tensor `(B,)`, in nats.
    """
    teacher, student, together, shares = _softened_candidates(
        teacher_scores, student_scores, queries, temperature
    )
    parts = -ops.exp(teacher) * student
    return _sum_of_query(parts, together) * shares


def mean_squared_error(teacher, student):
    """Mean over the last axis of the squared difference.

    Args:
        teacher: Tensor `(..., D)`.
        student: Tensor `(..., D)`.

    Returns:
        float32 tensor `(...)`, in squared units of the input.
    """
    difference = as_float32(teacher) - as_float32(student)
    return ops.mean(ops.square(difference), axis=-1)


def normalized_mean_squared_error(teacher, student):
    """Mean over the last axis of the squared difference of normalised vectors.

    `1/D * sum_d (n(teacher)_d - n(student)_d)^2` with
    `n(x) = (x - mean(x)) / sqrt(var(x) + 1e-12)`: layer normalization without
    a learned scale. It sees the direction of a feature map alone, not its
    mean and spread (MobileBERT, https://arxiv.org/abs/2004.02984; released
    code: `run_pretraining.py`).

    Args:
        teacher: Tensor `(..., D)`.
        student: Tensor `(..., D)`.

    Returns:
        float32 tensor `(...)`, between 0 and 4.
    """
    return mean_squared_error(_standardized(teacher), _standardized(student))


def squared_mean_error(teacher, student):
    """Squared difference of the means over the last axis.

    `(mean(teacher) - mean(student))^2`: what layer normalization takes away
    first, called beta in MobileBERT's released code.

    Args:
        teacher: Tensor `(..., D)`.
        student: Tensor `(..., D)`.

    Returns:
        float32 tensor `(...)`, in squared units of the input.
    """
    difference = as_float32(teacher) - as_float32(student)
    return ops.square(ops.mean(difference, axis=-1))


def absolute_variance_error(teacher, student):
    """Absolute difference of the variances over the last axis.

    `|var(teacher) - var(student)|`, the variances of all `D` numbers (divided
    by `D`): what layer normalization takes away last, called gamma in
    MobileBERT's released code.

    Args:
        teacher: Tensor `(..., D)`.
        student: Tensor `(..., D)`.

    Returns:
        float32 tensor `(...)`, in squared units of the input.
    """
    teacher, student = as_float32(teacher), as_float32(student)
    # As one product no digits cancel, and it is exactly 0 for equal inputs.
    product = _centred(teacher - student) * _centred(teacher + student)
    error = ops.mean(product, axis=-1)
    # The gradient of `ops.abs` at 0 is 1 on JAX.
    return error * ops.sign(error)


def cosine_distance(teacher, student):
    """`1 - cos(teacher, student)` along the last axis.

    Args:
        teacher: Tensor `(..., D)`.
        student: Tensor `(..., D)`.

    Returns:
        float32 tensor `(...)`, between 0 and 2; 0.5 where one of the two
        vectors is 0.
    """
    teacher = _unit_vectors(as_float32(teacher))
    student = _unit_vectors(as_float32(student))
    # Half the squared distance of unit vectors is 1 - cos, and exactly 0
    # for equal inputs, which 1 minus a rounded product is not.
    return 0.5 * ops.sum(ops.square(teacher - student), axis=-1)


def token_mean(values, mask=None):
    """Mean of per-token values over the real tokens of each example.

    `sum_l mask_l * values_l / sum_l mask_l`; a float mask weighs the tokens.

    Args:
        values: Tensor `(B, L)`.
        mask: Optional tensor `(B, L)`.

    Returns:
        float32 tensor `(B,)`.
    """
    return _masked_mean(as_float32(values), mask, axes=1)


def batch_token_mean(values, weights):
    """Mean of per-token values over all tokens of a batch, as BERT's script.

    `sum_bl weights_bl * values_bl / (sum_bl weights_bl + 1e-5)`, where
    `token_mean` takes the mean of each example by itself. To keep one value
    for each example, each has its share of that sum times `B`, so that the
    mean over the batch is that number.

    Args:
        values: Tensor `(B, L)`.
        weights: Tensor `(B, L)`.

    Returns:
        float32 tensor `(B,)`.
    """
    values, weights = as_float32(values), as_float32(weights)
    # Where the weight is 0 a value may be anything, even infinite.
    values = ops.where(weights > 0, values, ops.zeros_like(values))
    share = ops.sum(weights * values, axis=1)
    count = ops.cast(ops.shape(values)[0], "float32")
    return count * share / (ops.sum(weights) + MASKED_LM_EPSILON)


def attention_scores_mse(
    teacher_scores, student_scores, mask=None, normalization="valid_pairs"
):
    """Mean squared error of attention scores before the softmax.

    The paper's formula is `1/H * sum_h MSE(A_student_h, A_teacher_h)` with
    `A = Q K^T / sqrt(d_k)` (TinyBERT). Which entries
    take part in the mean is a choice:

    - `"valid_pairs"`: pairs of a real query and a real key. The value does
      not depend on padding.
    - `"valid_keys"`: every query, padding included, and the real keys.
    - `"official"`: all `L * L` entries, as TinyBERT's script has it: scores
      of padded keys, and any score at or below -100, count as 0 in teacher
      and student apart, and the mean divides by `L * L`. The value shrinks
      as padding grows.

    Args:
        teacher_scores: Tensor `(B, H, L, L)`, queries before keys.
        student_scores: Tensor `(B, H, L, L)`.
        mask: Optional tensor `(B, L)`.
        normalization: `"valid_pairs"`, `"valid_keys"` or `"official"`.

    Returns:
        float32 tensor `(B,)`.
    """
    teacher, student = as_float32(teacher_scores), as_float32(student_scores)
    if normalization == "official":
        teacher = _tinybert_scores(teacher, mask)
        student = _tinybert_scores(student, mask)
        return ops.mean(ops.square(teacher - student), axis=(1, 2, 3))
    pairs = _pair_mask(mask, every_query=normalization == "valid_keys")
    return _masked_mean(ops.square(teacher - student), pairs, axes=(1, 2, 3))


def attention_probabilities_mse(
    teacher_probabilities, student_probabilities, mask=None
):
    """Mean squared error of attention probabilities over real pairs.

    Args:
        teacher_probabilities: Tensor `(B, H, L, L)`, rows summing to 1.
        student_probabilities: Tensor `(B, H, L, L)`.
        mask: Optional tensor `(B, L)`.

    Returns:
        float32 tensor `(B,)`: the mean over heads and over pairs of a real
        query and a real key.
    """
    return attention_scores_mse(
        teacher_probabilities, student_probabilities, mask
    )


def attention_kl(
    teacher_scores, student_scores, mask=None, normalization="valid_pairs"
):
    """Kullback-Leibler divergence of attention distributions.

    `1/(H * |x|) * sum_h sum_q KL(softmax(teacher_hq) || softmax(student_hq))`
    over the `|x|` real queries, each a distribution over the real keys
    (MiniLM, https://arxiv.org/abs/2002.10957; MobileBERT's attention
    transfer, https://arxiv.org/abs/2004.02984). It is computed
    from scores, in log space.

    Args:
        teacher_scores: Tensor `(B, H, L, L)`, before the softmax.
        student_scores: Tensor `(B, H, L, L)`.
        mask: Optional tensor `(B, L)`.
        normalization: `"valid_pairs"`, the mean over real queries, or
            `"valid_keys"`, over all queries, padding included, as in
            MobileBERT's released code. Padded keys have no share in either.

    Returns:
        float32 tensor `(B,)`, in nats.
    """
    teacher = _masked_log_softmax(as_float32(teacher_scores), mask)
    student = _masked_log_softmax(as_float32(student_scores), mask)
    divergence = ops.sum(ops.exp(teacher) * (teacher - student), axis=-1)
    return _query_mean(divergence, mask, normalization)


def attention_cross_entropy(
    teacher_scores, student_scores, mask=None, normalization="valid_pairs"
):
    """Cross-entropy of the student's attention against the teacher's.

    `-1/(H * |x|) * sum_h sum_q sum_k softmax(teacher_hq)_k *
    log softmax(student_hq)_k`: `attention_kl` and the entropy of the
    teacher's attention, which has no gradient. MobileBERT's released code
    reports this one.

    Args:
        teacher_scores: Tensor `(B, H, L, L)`, before the softmax.
        student_scores: Tensor `(B, H, L, L)`.
        mask: Optional tensor `(B, L)`.
        normalization: As of `attention_kl`.

    Returns:
        float32 tensor `(B,)`, in nats.
    """
    teacher = _masked_log_softmax(as_float32(teacher_scores), mask)
    student = _masked_log_softmax(as_float32(student_scores), mask)
    entropy = -ops.sum(ops.exp(teacher) * student, axis=-1)
    return _query_mean(entropy, mask, normalization)


def relation_scores(vectors, num_relation_heads):
    """Scaled products of all tokens with each other, per relation head.

    The vectors of all heads are joined and split anew into
    `num_relation_heads`, so that models with different heads compare:
    `R = A A^T / sqrt(d_r)` with `d_r = H * D / num_relation_heads` (MiniLMv2,
    https://arxiv.org/abs/2012.15828).

    Args:
        vectors: Tensor `(B, L, H, D)`: queries, keys or values.
        num_relation_heads: int. Divides `H * D`.

    Returns:
        float32 tensor `(B, num_relation_heads, L, L)`.
    """
    shape = ops.shape(vectors)
    width = vectors.shape[2] * vectors.shape[3]
    head_width = width // num_relation_heads
    vectors = ops.reshape(
        as_float32(vectors),
        (shape[0], shape[1], num_relation_heads, head_width),
    )
    scaled = vectors / (head_width**0.5)
    return ops.einsum("bqhd,bkhd->bhqk", scaled, vectors)


def relation_kl(
    teacher_vectors, student_vectors, num_relation_heads, mask=None
):
    """MiniLM's self-attention relation transfer.

    `attention_kl` of the `relation_scores` of teacher and student (MiniLMv2).

    Args:
        teacher_vectors: Tensor `(B, L, H_teacher, D_teacher)`.
        student_vectors: Tensor `(B, L, H_student, D_student)`.
        num_relation_heads: int. Divides both widths.
        mask: Optional tensor `(B, L)`.

    Returns:
        float32 tensor `(B,)`, in nats.
    """
    return attention_kl(
        relation_scores(teacher_vectors, num_relation_heads),
        relation_scores(student_vectors, num_relation_heads),
        mask,
    )


def as_float32(tensor):
    """The tensor in float32, whatever precision the model computes in."""
    return ops.cast(tensor, "float32")


def log_softmax(logits, temperature=1.0):
    """`log softmax(logits / T)` over the last axis, in float32."""
    return ops.log_softmax(as_float32(logits) / temperature, axis=-1)


def _centred(vectors):
    return vectors - ops.mean(vectors, axis=-1, keepdims=True)


def _standardized(vectors):
    centred = _centred(as_float32(vectors))
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    return centred * ops.rsqrt(variance + FEATURE_MAP_EPSILON)


def _unit_vectors(vectors):
    # The least length keeps the gradient at a vector of zeros finite.
    squared_length = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(squared_length, 1e-12))


def _masked_mean(values, mask, axes):
    if mask is None:
        return ops.mean(values, axis=axes)
    mask = ops.broadcast_to(as_float32(mask), ops.shape(values))
    # Where the mask is 0 a value may be anything, even infinite.
    values = ops.where(mask > 0, values, ops.zeros_like(values))
    count = ops.sum(mask, axis=axes)
    total = ops.sum(values * mask, axis=axes)
    return total / ops.where(count > 0, count, ops.ones_like(count))


def _pair_mask(mask, every_query):
    if mask is None:
        return None
    mask = as_float32(mask)
    keys = mask[:, None, None, :]
    if every_query:
        return keys
    return mask[:, None, :, None] * keys


def _query_mean(values, mask, normalization):
    """Mean over heads and the queries that count."""
    if mask is None:
        return ops.mean(values, axis=(1, 2))
    queries = as_float32(mask)[:, None, :]
    if normalization == "valid_keys":
        # All of them, where there is a key to look at.
        any_key = ops.max(queries, axis=-1, keepdims=True) > 0
        queries = ops.cast(any_key, "float32")
    return _masked_mean(values, queries, axes=(1, 2))


def _tinybert_scores(scores, mask):
    kept = scores > TINYBERT_SCORE_THRESHOLD
    if mask is not None:
        kept = ops.logical_and(kept, (as_float32(mask) > 0)[:, None, None, :])
    return ops.where(kept, scores, ops.zeros_like(scores))


def _masked_log_softmax(scores, mask):
    if mask is None:
        return ops.log_softmax(scores, axis=-1)
    # A finite bias: with minus infinity the gradient at padding is not a
    # number. 1e9 is far beyond any score, and exp gives exactly 0.
    bias = (1.0 - ops.cast(as_float32(mask) > 0, "float32")) * -1e9
    return ops.log_softmax(scores + bias[:, None, None, :], axis=-1)


def _together(queries):
    """Which rows of a batch are of the same query, `(B, B)`."""
    queries = ops.reshape(queries, (-1,))
    return queries[:, None] == queries[None, :]


def _of_query(values, chosen):
    """`log sum exp` of the chosen values of each row, `(B,)`."""
    # Finite, since the gradient of minus infinity is not a number.
    return ops.logsumexp(ops.where(chosen, values[None, :], -1e9), axis=1)


def _sum_of_query(values, together):
    return ops.sum(ops.where(together, values[None, :], 0.0), axis=1)


def _query_shares(together, counts):
    """What each row counts, so that a mean over rows is one over queries."""
    counts = ops.cast(counts, "float32")
    shares = counts / ops.sum(ops.cast(together, "float32"), axis=1)
    return shares / ops.maximum(ops.mean(shares), _LEAST_SHARE)


def _softened_candidates(teacher, student, queries, temperature):
    """Log-probabilities of both, which rows are together, what each counts."""
    together = _together(queries)
    shares = _query_shares(together, ops.reshape(queries, (-1,)) != 0)
    teacher, student = (
        candidate_log_softmax(as_float32(scores) / temperature, queries)
        for scores in (teacher, student)
    )
    return teacher, student, together, shares
