"""KID: the squared maximum mean discrepancy of features, which is honest for small sets.

Source: Binkowski et al., ICLR 2018. Here it is the full unbiased estimator over all pairs, not
the mean over random subsets: the same expectation, less variance, and no seed.
"""

import numpy as np

_BLOCK = 1024  # rows whose products with all others are held at once


def kernel_distance(real, fake):
    """Unbiased estimate of MMD^2 with the kernel (x y / C + 1)^3.

    Args:
        real: (m, C), m >= 2.
        fake: (n, C), n >= 2.

    Returns:
        float; around 0, also below it, where both come from one distribution.

    Raises:
        ValueError: shapes that do not fit, or numbers that are not finite.
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"features must be (m, C) and (n, C). Received: {real.shape} and {fake.shape}"
        )
    m, n = len(real), len(fake)
    if min(m, n) < 2:
        raise ValueError(f"a kernel distance takes 2 rows or more of each. Received: {m} and {n}")
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise ValueError("features must be finite. Received: NaN or infinity")
    within = _sum(real, real) - _sum_of_diagonal(real)
    within_fake = _sum(fake, fake) - _sum_of_diagonal(fake)
    return float(
        within / (m * (m - 1)) + within_fake / (n * (n - 1)) - 2 * _sum(real, fake) / (m * n)
    )


def _kernel(products, channels):
    return (products / channels + 1) ** 3


def _sum(a, b):
    channels = a.shape[1]
    blocks = (a[i : i + _BLOCK] @ b.T for i in range(0, len(a), _BLOCK))
    return sum(_kernel(block, channels).sum() for block in blocks)


def _sum_of_diagonal(a):
    return _kernel(np.einsum("ij,ij->i", a, a), a.shape[1]).sum()
