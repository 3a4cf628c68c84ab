from tests.hub.stand_in import hub  # noqa: F401  a fixture
