"""Which seeds the samples of a seed have: sample k of seed s is the picture of seed s + k."""

from data_pipeline.errors import DataError
from oasis_tf.sampling.arguments import is_whole

MAX_SEED = 2**31 - 1  # what fits the int32 input of an exported model


def sample_seeds(seed, samples, name="seed"):
    """The seeds of `samples` pictures.

    Args:
        seed: int in [0, MAX_SEED], of the first one.
        samples: int, 1 or more.
        name: of the seed, for errors.

    Returns:
        list of int.

    Raises:
        DataError: no whole numbers, or out of range.

    >>> sample_seeds(7, 3)
    [7, 8, 9]
    """
    for value, what in ((seed, name), (samples, "samples")):
        if not is_whole(value):
            raise DataError(f"{what} must be a whole number. Received: {value!r}")
    if samples < 1:
        raise DataError(f"samples must be 1 or more. Received: {samples}")
    if not 0 <= seed <= MAX_SEED - (samples - 1):
        raise DataError(
            f"{name} must be in 0..{MAX_SEED}, also that of the last sample. Received: {seed} "
            f"with {samples} samples"
        )
    return list(range(int(seed), int(seed) + int(samples)))
