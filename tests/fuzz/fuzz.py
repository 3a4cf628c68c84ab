"""Properties that are tried on random input: a few examples always, many under `slow`."""

import datetime
import inspect

import pytest
from hypothesis import HealthCheck, given, settings

# An example that takes longer hangs, as far as a user can tell.
_DEADLINE = datetime.timedelta(seconds=20)


def fuzz(few, many, **strategies):
    """Makes two tests of a property: of a few examples, always the same, and of many others.

    Args:
        few: examples of the fast test.
        many: examples of the slow one.
        **strategies: hypothesis' strategies of the property's arguments. The others are fixtures.
    """

    def decorate(check):
        names = [n for n in inspect.signature(check).parameters if n not in strategies]

        def test(count, **fixtures):
            run = settings(
                max_examples=count,
                derandomize=count == few,
                deadline=_DEADLINE,
                database=None,
                suppress_health_check=list(HealthCheck),
            )

            def example(**drawn):
                check(**fixtures, **drawn)

            run(given(**strategies)(example))()

        test.__doc__ = check.__doc__
        test.__signature__ = inspect.Signature(
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in ("count", *names)
        )
        counts = [few, pytest.param(many, marks=pytest.mark.slow)]
        return pytest.mark.parametrize("count", counts)(test)

    return decorate
