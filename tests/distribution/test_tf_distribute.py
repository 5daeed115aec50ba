"""Replicas and workers end as one process does on the same batches."""

import json
import socket

import numpy as np


def _assert_same(ours, expected):
    assert set(ours) == set(expected)
    assert any(name.startswith("weights/") for name in ours)
    for name, value in expected.items():
        np.testing.assert_allclose(
            ours[name], value, rtol=1e-5, atol=1e-5, err_msg=name
        )


def _two_workers():
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    workers = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return [
        {
            "TF_CONFIG": json.dumps(
                {
                    "cluster": {"worker": workers},
                    "task": {"type": "worker", "index": index},
                }
            )
        }
        for index in range(2)
    ]


def test_replicas_and_workers_end_as_one_process_does(distil):
    expected = distil("none")
    _assert_same(distil("mirrored"), expected)
    for worker in distil("multiworker", _two_workers()):
        _assert_same(worker, expected)
