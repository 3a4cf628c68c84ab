"""Training through a tf.data service: a run, its resumption, and a service that is not there."""

import pytest

from oasis_tf.train import main
from tests.data_pipeline.servers import Servers
from tests.test_train import command, losses
from tests.toy_data import build_records


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def test_nobody_there(capsys, records, tmp_path, monkeypatch):
    monkeypatch.setattr("oasis_tf.train.DATA_SERVICE_SECONDS", 0.3)
    arguments = command(records, tmp_path / "run", "--data_service", "grpc://localhost:1")
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --data_service must be the address of a running dispatcher")
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_trains_and_resumes(capsys, records, tmp_path):
    servers = Servers(tmp_path / "journal")
    model_dir = tmp_path / "run"
    try:
        servers.start_dispatcher()
        servers.start_worker()
        service = ["--data_service", servers.url]
        assert main(command(records, model_dir, "--steps", "4", *service)) == 0
        assert main(command(records, model_dir, "--steps", "6", *service)) == 0
        assert "resuming at step 4" in capsys.readouterr().err
        # Where the data comes from is no matter of the configuration.
        assert main(command(records, model_dir, "--steps", "7")) == 0
    finally:
        servers.close()
    assert sorted(losses(model_dir)) == list(range(1, 8))
