"""mIoU: whether a segmenter sees in the generated pictures what the label maps say."""

import math

import numpy as np

from data_pipeline.errors import DataError
from oasis_tf.evaluation import charts
from oasis_tf.evaluation.metrics.metric import (
    Metric,
    Network,
    NotComputable,
    both_sides,
    in_short,
)
from oasis_tf.metrics.confusion import Confusion, pairs, segmentation_scores

_NAMED = 10  # of the classes that are left out


class MIoU(Metric):
    """mIoU and pixel accuracy, beside those of the photographs, and the IoU of each class.

    Its part is, of each side: `keys`, `counts` int64 (k,), see `oasis_tf.metrics.confusion.pairs`;
    `picture_miou` float (n,).
    """

    name = "miou"
    higher_is_better = True
    needs_segmenter = True
    ranked_by = "the segmenter's mIoU of the single picture"

    def prepare(self, networks):
        """Loads the segmenter and, where the protocol has groups, counts training pictures."""
        names, evaluated = self.manifest.class_names, self.request.protocol.classes
        self._segmenter, self._table = self._load(names, evaluated)
        kept = [i for i, name in enumerate(names) if evaluated is None or name in evaluated]
        # What the segmenter cannot name is never right: it would count as IoU 0.
        named = set(self._table.tolist())
        self._not_named = [i for i in kept if i and i not in named]
        kept = [i for i in kept if i in named]
        self.notices = self._notices()
        self._kept = np.zeros(len(names), np.int32)
        self._kept[kept] = kept
        about = self._segmenter.about
        key = {
            # A word of the cache's: other ones would have everything measured again.
            "measure": "judgement",
            "version": 1,
            "segmenter": about,
            "table": self._table.tolist(),
            "evaluated": evaluated,
            "left_out": self._not_named,
        }
        networks["segmenter"] = Network(self._segmenter, key, about)
        self.segmenter_sha256 = about["sha256"]
        self._groups = None
        if self.request.protocol.groups and "train" in self.manifest.splits:
            from oasis_tf.evaluation.frequency import frequency_groups, picture_counts

            self._groups = frequency_groups(picture_counts(self.request.data_dir))
        return both_sides("segmentation", key)

    def _load(self, names, evaluated):
        from oasis_tf.segmenters.segmenter import load_segmenter

        if self.request.segmenter is None:
            raise NotComputable(
                "mIoU needs --segmenter PATH; python -m oasis_tf.train_segmenter makes one of the "
                "data set's own photographs"
            )
        try:
            segmenter = load_segmenter(self.request.segmenter)
            return segmenter, segmenter.table(names, evaluated)
        except DataError as error:
            raise NotComputable(str(error)) from None

    def measure(self, part, chunk):
        """`keys`, `counts` and `picture_miou`."""
        size = len(self._kept)
        keys, counts, scores = [], [], []
        predictions = self._segmenter(chunk.pictures(of_model=part.of_model), self._table)
        for labels, predicted in zip(self._kept[chunk.label_maps], predictions, strict=True):
            found = pairs(labels, predicted, size)
            keys.append(found[0])
            counts.append(found[1])
            # Renumbered, for a matrix of all classes per picture would take seconds.
            ids, small = np.unique([labels, predicted], return_inverse=True)
            if ids[0] != 0:
                ids, small = np.insert(ids, 0, 0), small + 1
            small = small.reshape(2, -1)
            matrix = np.bincount(small[0] * len(ids) + small[1], minlength=len(ids) ** 2)
            scores.append(segmentation_scores(matrix.reshape(len(ids), -1)).miou)
        return {
            "keys": np.concatenate(keys),
            "counts": np.concatenate(counts),
            "picture_miou": np.array(scores),
        }

    def result(self, parts):
        """Over labelled pixels; also with unlabelled ones counted, and of the photographs."""
        real, fake = (self._confusion(parts, side) for side in ("real", "fake"))
        ignored = segmentation_scores(fake)
        if math.isnan(ignored.miou):
            raise NotComputable("no pixel of the split is labelled with a class that counts")
        counted = segmentation_scores(fake, unlabelled="counted")
        photographs = segmentation_scores(real)
        classes = [
            {
                "id": i,
                "class": self.manifest.class_names[i],
                "iou": float(iou),
                "iou_of_photographs": float(photographs.iou[i]),
                "pixels": int(fake[i].sum()),
            }
            for i, iou in enumerate(ignored.iou)
            if not math.isnan(iou)
        ]
        result = {
            "value": ignored.miou,
            "pixel_accuracy": ignored.pixel_accuracy,
            "unlabelled_pixels_counted": {
                "miou": counted.miou,
                "pixel_accuracy": counted.pixel_accuracy,
                "about": "what is predicted on unlabelled pixels is taken as wrong",
            },
            "of_photographs": {
                "miou": photographs.miou,
                "pixel_accuracy": photographs.pixel_accuracy,
            },
            "averaged_over": "classes with labelled pixels in the split that are not left_out",
            "classes_averaged": len(classes),
            "classes_left_out": len(self._not_named),
            "left_out": [self.manifest.class_names[i] for i in self._not_named],
            "per_class": classes,
        }
        if self._groups is not None:
            means = {name: ignored.mean(ids) for name, ids in self._groups.items()}
            result["groups"] = {
                name: {"miou": None if math.isnan(mean) else mean, "classes": count}
                for name, (mean, count) in means.items()
            }
        return result

    def details(self, result):
        """Pixel accuracy, how many classes, the photographs' mIoU, and the groups'."""
        groups = result.get("groups", {})
        return [
            f"pixel accuracy {in_short(result['pixel_accuracy'])}",
            f"{result['classes_averaged']} classes",
            f"of photographs {in_short(result['of_photographs']['miou'])}",
            *(f"{name} {in_short(group['miou'])}" for name, group in groups.items()),
        ]

    def notes(self, result):
        """Which classes are left out."""
        return [*super().notes(result), *self._notices()]

    def _notices(self):
        names = [self.manifest.class_names[i] for i in self._not_named]
        if not names:
            return []
        rest = len(names) - _NAMED
        text = ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
        what = "1 class" if len(names) == 1 else f"{len(names)} classes"
        return [f"left out, for the segmenter cannot name {what}: {text}"]

    def sections(self, result, parts):
        """IoU of each class, and which classes are taken for which."""
        confusion = self._confusion(parts, "fake")
        return [
            charts.iou_bars(result["per_class"]),
            charts.confusion_matrix(confusion, self.manifest.class_names),
        ]

    def ranking(self, parts):
        """The mIoU of each generated picture."""
        return np.concatenate([part["picture_miou"] for part in parts["segmentation of fake"]])

    def _confusion(self, parts, side):
        """int64 (N, N), rows = labels."""
        confusion = Confusion(self.manifest.num_classes)
        for part in parts[f"segmentation of {side}"]:
            confusion.add(part["keys"], part["counts"])
        return confusion.counts
