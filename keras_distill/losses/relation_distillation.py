"""The relations among the student's tokens follow the teacher's."""

import keras

from keras_distill import layer_map as layer_maps
from keras_distill.checks.arguments import check_choice
from keras_distill.checks.arguments import check_int
from keras_distill.features import names
from keras_distill.losses import functional
from keras_distill.losses.distillation_loss import DistillationLoss
from keras_distill.losses.matching import Match
from keras_distill.losses.matching import attention_layers

_RELATIONS = (names.QUERIES, names.KEYS, names.VALUES)


@keras.saving.register_keras_serializable("keras_distill")
class RelationDistillation(DistillationLoss):
    """The relations among the student's tokens follow the teacher's.

    For queries, keys and values apart, each token is compared with all
    others: `R = softmax(A A^T / sqrt(d_r))` in `num_relation_heads` heads,
    and the loss is the sum over queries, keys and values of
    `KL(R_teacher || R_student)`, averaged over relation heads and real
    tokens. Heads and widths of teacher and student are free.

    Args:
        relations: Sequence of `"queries"`, `"keys"`, `"values"`. Defaults to
            all three.
        num_relation_heads: int. Divides the width of both models. `None`
            takes the teacher's number of attention heads. Defaults to `None`.
        layer_map: Callable of `keras_distill.layer_map`; pairs with layer 0,
            the embeddings, are left out. Defaults to `layer_map.last_layer`,
            MiniLM's choice; MiniLMv2 takes an upper layer of a deep teacher:
            `layer_map.explicit([(6, 21)])`.
        name: str. Defaults to `"relations"`.

    Example:

    ```python
    from keras_distill import losses

    loss = losses.RelationDistillation(num_relation_heads=12)
    ```

    Reference:
        - MiniLMv2, https://arxiv.org/abs/2012.15828.
        - MiniLM, https://arxiv.org/abs/2002.10957.
    """

    def __init__(
        self,
        relations=_RELATIONS,
        num_relation_heads=None,
        layer_map=layer_maps.last_layer,
        name="relations",
    ):
        super().__init__(name)
        if isinstance(relations, str) or not relations:
            raise ValueError(
                "`relations` must be a tuple that names at least one of "
                f"{_RELATIONS}. Received: relations={relations!r}"
            )
        for relation in relations:
            check_choice("relations", relation, _RELATIONS)
        # None is the teacher's number of attention heads.
        num_relation_heads = check_int(
            "num_relation_heads", num_relation_heads, minimum=1, optional=True
        )
        layer_maps.check_layer_map(layer_map)
        self.relations = tuple(relations)
        self.num_relation_heads = num_relation_heads
        self.layer_map = layer_map

    def match(self, teacher, student):
        matches = []
        for student_layer, teacher_layer in attention_layers(
            self.layer_map, teacher, student
        ):
            for kind in self.relations:
                teacher_feature = names.layer_feature(kind, teacher_layer)
                student_feature = names.layer_feature(kind, student_layer)
                heads = self._relation_heads(
                    teacher.shape(teacher_feature)[2:],
                    student.shape(student_feature)[2:],
                )
                note = f"{kind} relations, {heads} heads, kl, masked"
                matches.append(Match(student_feature, teacher_feature, note))
        return tuple(matches)

    def per_example(self, teacher, student, mask=None):
        heads = self.num_relation_heads or teacher.shape[2]
        return functional.relation_kl(teacher, student, heads, mask)

    def get_config(self):
        return {
            **super().get_config(),
            "relations": list(self.relations),
            "num_relation_heads": self.num_relation_heads,
            "layer_map": keras.saving.serialize_keras_object(self.layer_map),
        }

    def _relation_heads(self, teacher_shape, student_shape):
        relation_heads = self.num_relation_heads or teacher_shape[0]
        for role, (heads, head_width) in (
            ("teacher", teacher_shape),
            ("student", student_shape),
        ):
            if heads * head_width % relation_heads:
                raise ValueError(
                    f"`num_relation_heads` must divide the {role}'s width "
                    f"{heads * head_width}. Received: "
                    f"num_relation_heads={self.num_relation_heads} (the "
                    f"teacher has {teacher_shape[0]} attention heads)."
                )
        return relation_heads
