"""Warm-up records are TF Serving's own messages."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_distill.export.warm_up import write_warm_up_requests


def read_logs(path):
    return [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]


def test_records_equal_those_of_tensorflow_serving_api(tmp_path):
    inputs = {
        "text": np.array(["fun", ""], dtype=object),
        "token_ids": np.array([[2, 5, 3]], dtype=np.int32),
    }
    path = tmp_path / "requests"
    write_warm_up_requests(
        path,
        model_name="film",
        requests=[("serving_default", inputs), ("token_ids", {})],
    )

    expected = prediction_log_pb2.PredictionLog()
    request = expected.predict_log.request
    request.model_spec.name = "film"
    request.model_spec.signature_name = "serving_default"
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    first, second = read_logs(path)
    assert first == expected
    assert second.WhichOneof("log_type") == "predict_log"
    assert second.predict_log.request.model_spec.signature_name == "token_ids"
    assert not second.predict_log.request.inputs


def test_no_field_is_unknown_to_tensorflow_serving(tmp_path):
    path = tmp_path / "requests"
    write_warm_up_requests(
        path,
        model_name="film",
        requests=[("serving_default", {"text": np.array([b"\xff"])})],
    )
    (log,) = read_logs(path)
    size = len(log.SerializeToString())
    log.DiscardUnknownFields()
    assert len(log.SerializeToString()) == size
    (value,) = tf.make_ndarray(log.predict_log.request.inputs["text"])
    assert value == b"\xff"
