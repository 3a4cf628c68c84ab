"""Frechet distance between two Gaussians, and the streaming statistics it needs.

Source: Heusel et al., NeurIPS 2017 (FID is this distance between Inception features).
"""

import numpy as np
from scipy import linalg


class FeatureStatistics:
    """Mean and covariance of rows that arrive in batches, in float64.

    Batches are merged by their means and scatter matrices (Chan et al. 1983), so the numbers do
    not depend on how large the mean is beside the spread.

    Args:
        channels: C, the width of the rows.

    Attributes:
        count: rows so far.
        mean: float64 (C,).
    """

    def __init__(self, channels):
        self.count = 0
        self.mean = np.zeros(channels)
        self._scatter = np.zeros((channels, channels))

    def update(self, features):
        """Adds rows.

        Args:
            features: (n, C), finite.

        Raises:
            ValueError: another width, or numbers that are not finite.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise ValueError(
                f"`features` must have shape (n, {len(self.mean)}). Received: {features.shape}"
            )
        if not np.isfinite(features).all():
            raise ValueError("`features` must be finite. Received: NaN or infinity")
        if not len(features):
            return
        mean = features.mean(axis=0)
        centred, difference = features - mean, mean - self.mean
        total = self.count + len(features)
        weight = self.count * len(features) / total
        self._scatter += centred.T @ centred + weight * np.outer(difference, difference)
        self.mean = self.mean + difference * (len(features) / total)
        self.count = total

    def covariance(self):
        """float64 (C, C), the unbiased estimate.

        Raises:
            ValueError: fewer than two rows.
        """
        if self.count < 2:
            raise ValueError(f"a covariance takes 2 rows or more. Received: {self.count}")
        return self._scatter / (self.count - 1)


def frechet_distance(a, b):
    """|mean_a - mean_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2)).

    The trace of the root is the sum of the singular values of C_a^(1/2) C_b^(1/2), whose roots
    are of symmetric matrices. So nothing is complex and nothing has to be inverted, also where
    there are fewer rows than channels and both covariances are singular.

    Args:
        a: `FeatureStatistics` of 2 rows or more.
        b: the same, of the same width.

    Returns:
        float >= 0.

    Raises:
        ValueError: fewer than two rows.
    """
    covariances = a.covariance(), b.covariance()
    roots = [_root(covariance) for covariance in covariances]
    overlap = linalg.svdvals(roots[0] @ roots[1]).sum()
    shift = a.mean - b.mean
    traces = sum(np.trace(covariance) for covariance in covariances)
    return max(0.0, float(shift @ shift + traces - 2 * overlap))


def _root(covariance):
    values, vectors = linalg.eigh(covariance)
    # Rounding makes some of the zeros negative.
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
