"""What an exported model says of itself."""

import dataclasses
import json
from dataclasses import dataclass

from data_pipeline.labels.legend import Legend

SIZE_MULTIPLE = 32


@dataclass(frozen=True)
class ModelInfo:
    """Everything about a model that is not in its graph.

    Attributes:
        legend: `Legend`, the classes.
        config: `oasis_tf.config.Config`, of the networks and their training.
        precision: of the convolutions, "float32" or "bfloat16".
        max_pixels: of one picture.
        scores: dict from names to numbers, what is known of the model's quality.
    """

    legend: Legend
    config: object
    precision: str = "float32"
    max_pixels: int = 2**20
    scores: dict[str, float] = dataclasses.field(default_factory=dict)

    def to_json(self):
        """The text of `assets.extra/model.json`, without line breaks."""
        config = dataclasses.asdict(self.config)
        colours = self.legend.label_colours
        return json.dumps(
            {
                "dataset": self.config.dataset,
                "num_classes": self.legend.num_classes,
                **self.legend.to_json(),
                # For readers that cannot ask a `Legend`. That it is here, if only as null, says
                # that the PNG inputs hold ids as in the data set's label files.
                "label_colours": colours and {str(key): list(c) for key, c in colours.items()},
                "image_size": list(self.config.image_size),
                "size_multiple": SIZE_MULTIPLE,
                "max_pixels": self.max_pixels,
                "noise_channels": self.config.noise_channels,
                "precision": self.precision,
                "scores": self.scores,
                "config": config,
            }
        )
