"""How attention is followed by a student of any number of heads."""

import math

from keras_distill import losses


def follow_attention(teacher, student, layer_map, **options):
    """Attention of the mapped layers, head by head where heads are as many.

    Others cannot be compared one by one. Relations of queries, keys and values
    can be cut into any number of heads that divides both widths, and stand for
    attention then.

    Args:
        teacher, student: KerasHub tasks.
        layer_map: As `keras_distill.layer_map` has them.
        **options: Arguments of `keras_distill.losses.AttentionDistillation`.

    Returns:
        `keras_distill.losses.AttentionDistillation` or
        `keras_distill.losses.RelationDistillation`.
    """
    heads = [model.backbone.num_heads for model in (teacher, student)]
    if heads[0] == heads[1]:
        return losses.AttentionDistillation(layer_map, **options)
    return losses.RelationDistillation(
        num_relation_heads=math.gcd(*heads), layer_map=layer_map
    )
