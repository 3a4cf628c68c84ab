"""Everything that is wrong with an export, in one error."""

from data_pipeline.errors import DataError, listing


def raise_all(problems):
    """Raises DataError naming every problem, unless there is none.

    Args:
        problems: iterable of str; each names the file, the rule, and what was found.
    """
    problems = list(problems)
    if problems:
        count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        raise DataError(
            f"an export must be whole and well-formed. Received: {count}:\n{listing(problems)}"
        )
