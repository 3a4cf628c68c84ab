"""An exported model behind the server: what clients send by mistake or on purpose."""

import base64
import threading

import numpy as np
import pytest

from data_pipeline.records.png import encode_image, encode_label_map
from oasis_tf.serving.client import Client

GOOD = encode_label_map(np.full((32, 64), 3))


def ask(server, *files, seeds=None):
    instances = [
        {"label_map_bytes": {"b64": base64.b64encode(file).decode()}, "seed": seed}
        for file, seed in zip(files, seeds or range(len(files)), strict=True)
    ]
    return server.predict({"signature_name": "synthesize_png", "instances": instances})


def claiming(width, height):
    """A PNG file whose header says another size."""
    return GOOD[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + GOOD[24:]


@pytest.mark.parametrize(
    "file, message",
    [
        (b"", "label_map_bytes must be PNG files"),
        (b"GIF89a", "label_map_bytes must be PNG files"),
        (GOOD[:45], "PNG"),
        (claiming(60_000, 60_000), "pixels"),
        (claiming(2048, 2048), "a picture may have 32768 pixels"),
        (claiming(0, 32), "multiples of 32"),
        (encode_label_map(np.zeros((33, 64))), "multiples of 32"),
        (
            encode_label_map(np.full((32, 64), 9)),
            "the ids must be those of the 9 classes. Received: 9",
        ),
        (encode_image(np.full((32, 64, 3), 7)), "palette. Received: [7 7 7]"),
    ],
)
def test_bad_pictures(painter, file, message):
    status, answer = ask(painter, file)
    assert status == 400
    assert message in answer["error"]
    assert len(answer["error"]) < 300
    assert ask(painter, GOOD)[0] == 200


def test_bad_pictures_hurt_nobody_else(painter):
    answers = {}

    def client(number):
        bad = number % 4 == 0
        answers[number] = bad, ask(painter, GOOD[:45] if bad else GOOD, seeds=[number])

    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((status == 400) == bad for bad, (status, _) in answers.values())


def test_a_joined_request_gives_the_picture_it_gives_alone(painter):
    _, alone = ask(painter, GOOD, seeds=[5])
    _, together = ask(painter, GOOD, GOOD, GOOD, seeds=[4, 5, 6])
    assert together["predictions"][1] == alone["predictions"][0]
    assert together["predictions"][0] != alone["predictions"][0]


def test_an_array_goes_the_same_way(painter):
    client = Client(painter.url, painter.model)
    label_map = np.full((1, 32, 64), 3)
    image = client.predict({"label_map": label_map, "seed": [5]})["image"]
    assert image.shape == (1, 32, 64, 3) and image.dtype == np.float32
    picture = client.synthesize(label_map[0], seed=5)
    np.testing.assert_allclose(picture, (image[0] + 1) * 127.5, atol=0.51)


ROWS = np.ones((32, 64), int)
FILE = {"b64": base64.b64encode(GOOD).decode()}


@pytest.mark.parametrize(
    "body, messages",
    [
        (
            {"inputs": {"label_map": ROWS.tolist(), "seed": 1}},
            [
                "input 'label_map' must have rank 3, shape (?, ?, ?) with the batch first. "
                "Received: rank 2, shape (32, 64)",
                "input 'seed' must have rank 1, shape (?,) with the batch first. "
                "Received: rank 0, shape ()",
            ],
        ),
        (
            {"inputs": {"label_map": [ROWS.tolist()], "seed": 1}},
            ["input 'seed' must have rank 1"],
        ),
        (
            {"signature_name": "synthesize_png", "inputs": {"label_map_bytes": FILE, "seed": 1}},
            ["input 'label_map_bytes' must have rank 1", "input 'seed' must have rank 1"],
        ),
        (
            {"instances": [{"label_map": ROWS.tolist(), "seed": [1]}]},
            ["input 'seed' must have rank 1", "Received: rank 2, shape (1, 1)"],
        ),
        (
            {"instances": [{"label_map": [ROWS.tolist()], "seed": 1}]},
            ["input 'label_map' must have rank 3", "Received: rank 4, shape (1, 1, 32, 64)"],
        ),
        # Sides that would do, so that only the network itself notices.
        (
            {"instances": [{"label_map": [ROWS[:, :32].tolist()] * 32, "seed": 1}]},
            ["input 'label_map' must have rank 3", "Received: rank 4, shape (1, 32, 32, 32)"],
        ),
        (
            {"instances": [{"label_map": ROWS[..., None].tolist(), "seed": 1}]},
            ["input 'label_map' must have rank 3", "Received: rank 4, shape (1, 32, 64, 1)"],
        ),
    ],
)
def test_inputs_of_another_rank(painter, body, messages):
    status, answer = painter.predict(body)
    assert status == 400
    for message in messages:
        assert message in answer["error"]


@pytest.mark.parametrize("seeds", [[1.0], [True], ["1"], [-1], [2**31], [float("nan")]])
def test_seeds_that_the_library_refuses_too(painter, seeds):
    status, answer = ask(painter, GOOD, seeds=seeds)
    assert status == 400 and "seed" in answer["error"]


def test_no_files_at_all(painter):
    body = {"signature_name": "synthesize_png", "inputs": {"label_map_bytes": [], "seed": []}}
    assert painter.predict(body) == (200, {"outputs": []})
    body = {"inputs": {"label_map": [], "seed": []}}
