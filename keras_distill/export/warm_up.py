"""Requests that TF Serving replays when it loads a model.

TensorFlow does part of its work at a model's first request, which is slow for
that reason. TF Serving sends the requests in
`assets.extra/tf_serving_warmup_requests` before it opens a model to clients
(https://www.tensorflow.org/tfx/serving/saved_model_warmup).
"""

import tensorflow as tf
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from tensorflow.core.framework import tensor_pb2

WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"
# TF Serving refuses a file with more.
MAX_REQUESTS = 1000


def write_warm_up_requests(path, model_name, requests):
    """Writes predict requests as TF Serving's warm-up file.

    Args:
        path: path of the TFRecord file.
        model_name: string. The model's name in the requests.
        requests: iterable of `(signature_name, inputs)`, where `inputs` is a
            dict of tensors or arrays by input name.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature_name, inputs in requests:
            log = _PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature_name
            for name, value in inputs.items():
                tensor = tf.make_tensor_proto(value)
                request.inputs.add(key=name, value=tensor)
            writer.write(log.SerializeToString())


def _message(message_name, /, **fields):
    """Declares a protobuf message; a field is `(number, type, repeated)`."""
    message = descriptor_pb2.DescriptorProto(name=message_name)
    for field_name, (number, kind, repeated) in fields.items():
        field = message.field.add(name=field_name, number=number)
        field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
        if kind is str:
            field.type = field.TYPE_STRING
        else:
            field.type = field.TYPE_MESSAGE
            field.type_name = kind
    return message


def _prediction_log_class():
    """The part of TF Serving's `PredictionLog` that a predict request uses.

    Field numbers are those of `tensorflow_serving/apis/model.proto`,
    `predict.proto` and `prediction_log.proto`, so the bytes are the same as
    those of the package `tensorflow-serving-api`, which an export should not
    need. A map is on the wire a repeated message of key and value. The
    messages have a package of their own, since a name can be declared once.
    """
    package = "keras_distill.warm_up"
    tensor = f".{tensor_pb2.TensorProto.DESCRIPTOR.full_name}"
    file = descriptor_pb2.FileDescriptorProto(
        name="keras_distill/export/warm_up.proto",
        package=package,
        syntax="proto3",
        dependency=[tensor_pb2.DESCRIPTOR.name],
        message_type=[
            _message(
                "ModelSpec",
                name=(1, str, False),
                signature_name=(3, str, False),
            ),
            _message(
                "Input",
                key=(1, str, False),
                value=(2, tensor, False),
            ),
            _message(
                "PredictRequest",
                model_spec=(1, f".{package}.ModelSpec", False),
                inputs=(2, f".{package}.Input", True),
            ),
            _message(
                "PredictLog",
                request=(1, f".{package}.PredictRequest", False),
            ),
            _message(
                "PredictionLog",
                predict_log=(6, f".{package}.PredictLog", False),
            ),
        ],
    )
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{package}.PredictionLog")
    )


_PredictionLog = _prediction_log_class()
