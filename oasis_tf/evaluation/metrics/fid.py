"""FID: the Frechet distance of features."""

from oasis_tf.evaluation.metrics.features import FeatureMetric


class FID(FeatureMetric):
    """The Frechet distance, with a warning where there are fewer pictures than features."""

    name = "fid"

    def _compare(self, real, fake):
        from oasis_tf.metrics.frechet import FeatureStatistics, frechet_distance

        statistics = []
        for rows in (real, fake):
            statistics.append(FeatureStatistics(rows.shape[1]))
            statistics[-1].update(rows)
        count, channels = real.shape
        result = {"value": frechet_distance(*statistics), "real": count, "generated": count}
        if count < channels:
            result["warning"] = (
                f"{count} pictures are fewer than the {channels} features, so the Frechet distance "
                "is too high by an amount that depends on their number; the kernel distance is not"
            )
        return result
