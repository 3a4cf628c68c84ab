"""What is raised when the user can mend the cause."""


class OasisError(Exception):
    """Base of all errors that are no defects of the program.

    The message names the file or argument, the rule, and what was received. A command line
    catches it, prints `error: ...` to stderr and exits with code 2, without a traceback. Any
    other exception is a defect and keeps its traceback.
    """


class DataError(OasisError, ValueError):
    """Something is wrong with the user's data, paths or arguments."""


class BuildFailed(OasisError, RuntimeError):
    """The build could not go on for a reason outside the data: a full disk, a killed worker.

    The finished shards stay, so running the same command again goes on from there.
    """


def listing(names, limit=10):
    """Joins the first `limit` names, one a line, and counts the rest.

    >>> print(listing(["a.png", "b.png", "c.png"], limit=2))
      a.png
      b.png
      ... and 1 more
    """
    names = list(names)
    lines = [f"  {name}" for name in names[:limit]]
    if len(names) > limit:
        lines.append(f"  ... and {len(names) - limit} more")
    return "\n".join(lines)


def first_line(error):
    """The first line of what an exception says, or its kind where it says nothing.

    >>> first_line(ValueError("a\\nb")), first_line(KeyError())
    ('a', 'KeyError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
