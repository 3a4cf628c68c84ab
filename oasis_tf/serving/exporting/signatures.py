"""What an exported model can be asked, as graph functions with the batch in dimension 0."""

import functools

import tensorflow as tf

from oasis_tf.execution import compiled
from oasis_tf.models.generator import SCALES
from oasis_tf.models.padded_index import SHARES, pad_together
from oasis_tf.models.patch_index import build_patch_index
from oasis_tf.sampling.noise import global_noise
from oasis_tf.sampling.seeds import MAX_SEED
from oasis_tf.serving.exporting.label_png import (
    decode_ids,
    decode_mask,
    decode_numbers,
    read_headers,
    require,
)
from oasis_tf.serving.exporting.model_info import SIZE_MULTIPLE
from oasis_tf.serving.exporting.plain_generator import draw_plainly, plain_weights
from oasis_tf.serving.exporting.tensorflow_operations import TensorFlowOperations

_MAX_SEEDS = 256


def build_signatures(generator, info, *, jit_compile=False):
    """Builds the signatures of a model.

    Pictures may have any size whose sides are multiples of 32. Rows of different sizes, or of
    too many pixels together, are drawn one after the other. Wrong input raises
    InvalidArgumentError, which says what was wrong.

    Args:
        generator: a `Generator`, fused.
        info: its `ModelInfo`.
        jit_compile: XLA compiles what draws, once for each size of pictures and of patch indices
            (`pad_together`), but not what reads and checks. Defaults to False.

    Returns:
        dict from names to concrete functions:
        `serving_default`: label_map int32 (B, H, W), seed int32 (B,) -> image float32
            (B, H, W, 3) in [-1, 1].
        `generate`: label_map int32 (B, H, W), noise float32 (B, K, Z), noise_map int32 (B, H, W)
            in [0, K) -> image. Only operations that other engines have, and so one for all rows:
            what is wrong, `max_pixels` of all rows together included, ends in an error of the
            operation that it concerns.
        `synthesize_png`: label_map_bytes string (B,), seed -> image_bytes string (B,).
        `edit_png`: the same with mask_bytes string (B,), edit_seed int32 (B,): where the mask is
            neither black nor fully transparent the noise is that of edit_seed.
        `regions_png`: label_map_bytes, seed_map_bytes string (B,) -> image_bytes: each pixel
            takes the noise of the seed that the grey value of the seed map is, in [0, 65535].
        `describe`: index int32 (B,), of any value -> model_json string (B,), what
            `assets.extra/model.json` holds.
    """
    return _Signatures(generator, info, jit_compile).functions()


class _Signatures:
    def __init__(self, generator, info, jit_compile):
        self._generator = generator
        self._jit_compile = jit_compile
        self._draw = (
            compiled(generator.generate, jit_compile) if jit_compile else generator.generate
        )
        self._info = info
        # One graph of the generator, which all signatures call.
        self._generate = tf.function(
            self._generate_batch,
            autograph=False,
            input_signature=[
                tf.TensorSpec([None, None, None], tf.int32),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None, None, None], tf.int32),
            ],
        )

    def functions(self):
        def numbers(name):
            return tf.TensorSpec([None], tf.int32, name=name)

        def files(name):
            return tf.TensorSpec([None], tf.string, name=name)

        label_map = tf.TensorSpec([None, None, None], tf.int32, name="label_map")
        label_files = files("label_map_bytes")
        rows = {
            "serving_default": (self._synthesize, label_map, numbers("seed")),
            "generate": (
                self._draw_plainly,
                label_map,
                tf.TensorSpec([None, None, self._generator.noise_channels], name="noise"),
                tf.TensorSpec([None, None, None], tf.int32, name="noise_map"),
            ),
            "synthesize_png": (self._synthesize_png, label_files, numbers("seed")),
            "edit_png": (
                self._edit_png,
                label_files,
                files("mask_bytes"),
                numbers("seed"),
                numbers("edit_seed"),
            ),
            "regions_png": (self._regions_png, label_files, files("seed_map_bytes")),
            "describe": (self._describe, numbers("index")),
        }
        return {
            name: tf.function(
                function, autograph=False, input_signature=specs
            ).get_concrete_function()
            for name, (function, *specs) in rows.items()
        }

    def _describe(self, index):
        return {"model_json": tf.fill(tf.shape(index), self._info.to_json())}

    def _synthesize(self, label_map, seed):
        shape = tf.shape(label_map)
        lowest, highest = tf.reduce_min(label_map), tf.reduce_max(label_map)
        classes = self._info.legend.num_classes
        checks = [
            _check_seeds("seed", seed),
            *self._size_checks("label_map", shape[None, 1:]),
            require(
                (lowest >= 0) & (highest < classes),
                f"label_map: the ids must be in 0..{classes - 1}. Received: {{}} to {{}}",
                lowest,
                highest,
            ),
            _check_rows("seed", seed, shape[0]),
        ]
        with tf.control_dependencies(checks):
            rows = (tf.identity(label_map), seed)

        def generate(label_maps, seeds):
            return self._generate(label_maps, seeds, _number_pictures(label_maps))

        spec = tf.TensorSpec((None, None, 3), tf.float32)
        return {"image": self._together_or_not(shape[None, 1:], generate, rows, spec)}

    def _draw_plainly(self, label_map, noise, noise_map):
        # Assertions hold strings, which other engines have not: a look-up in a table that is too
        # short fails as well, and TensorFlow's error tells its name.
        sizes = (tf.shape(maps, tf.int64) for maps in (label_map, noise_map))
        too_large = tf.reduce_prod(tf.maximum(*sizes)) > self._info.max_pixels
        name = f"label_map_may_have_{self._info.max_pixels}_pixels"
        nothing = tf.gather(tf.zeros([1], tf.int32), tf.cast(too_large, tf.int32), name=name)
        weights = plain_weights(self._generator)
        image = draw_plainly(weights, TensorFlowOperations(), label_map + nothing, noise, noise_map)
        return {"image": image}

    def _synthesize_png(self, label_map_bytes, seed):
        def noise(label_maps, rows):
            return rows[0], _number_pictures(label_maps)

        headers = read_headers(label_map_bytes, "label_map_bytes")
        checks = [
            _check_rows("seed", seed, tf.shape(label_map_bytes)[0]),
            _check_seeds("seed", seed),
        ]
        return self._generate_png(label_map_bytes, headers, checks, (seed,), noise)

    def _edit_png(self, label_map_bytes, mask_bytes, seed, edit_seed):
        def noise(label_maps, rows):
            mask_files, seed, edit_seed = rows
            spec = tf.TensorSpec((None, None), tf.bool)
            masks = tf.map_fn(decode_mask, mask_files, fn_output_signature=spec)
            edits = tf.shape(seed)[0] * tf.cast(masks, tf.int32)
            return tf.concat([seed, edit_seed], axis=0), _number_pictures(label_maps) + edits

        headers = read_headers(label_map_bytes, "label_map_bytes")
        count = tf.shape(label_map_bytes)[0]
        checks = [
            *_map_checks("mask_bytes", mask_bytes, headers),
            _check_rows("seed", seed, count),
            _check_rows("edit_seed", edit_seed, count),
            _check_seeds("seed", seed),
            _check_seeds("edit_seed", edit_seed),
        ]
        return self._generate_png(
            label_map_bytes, headers, checks, (mask_bytes, seed, edit_seed), noise
        )

    def _regions_png(self, label_map_bytes, seed_map_bytes):
        def noise(label_maps, rows):
            def decode(file, depth):
                return decode_numbers(file, depth, "seed_map_bytes")

            seed_maps = _each(decode, *rows)
            seeds, numbers = tf.unique(tf.reshape(seed_maps, [-1]))
            found, most = tf.size(seeds), _MAX_SEEDS * tf.shape(seed_maps)[0]
            message = f"seed_map_bytes: at most {_MAX_SEEDS} seeds a picture. Received: {{}}"
            with tf.control_dependencies([require(found <= most, message, found)]):
                return tf.identity(seeds), tf.reshape(numbers, tf.shape(seed_maps))

        headers = read_headers(label_map_bytes, "label_map_bytes")
        checks = _map_checks("seed_map_bytes", seed_map_bytes, headers)
        with tf.control_dependencies(checks):
            depths = read_headers(seed_map_bytes, "seed_map_bytes").depths
        return self._generate_png(label_map_bytes, headers, checks, (seed_map_bytes, depths), noise)

    def _generate_png(self, label_files, headers, checks, rows, noise):
        """Files in, files out.

        Args:
            label_files: string (B,).
            headers: their `Headers`.
            checks: operations that have to pass before anything is decoded.
            rows: tuple of tensors with B rows.
            noise: function of the label maps and `rows` to the seeds and the noise maps that
                `_generate_batch` takes.
        """
        checks = [*checks, *self._size_checks("label_map_bytes", headers.sizes)]
        with tf.control_dependencies(checks):
            label_files = tf.identity(label_files)

        @functools.partial(tf.function, autograph=False, reduce_retracing=True)
        def generate(label_files, depths, palettes, *rows):
            def decode(*row):
                return decode_ids(*row, self._info.legend, "label_map_bytes")

            label_maps = _each(decode, label_files, depths, palettes)
            return _to_png(self._generate(label_maps, *noise(label_maps, rows)))

        rows = (label_files, headers.depths, headers.palettes, *rows)
        spec = tf.TensorSpec((), tf.string)
        # No files at all give no pictures; decoding them together would fail.
        return {
            "image_bytes": tf.cond(
                tf.size(label_files) > 0,
                lambda: self._together_or_not(headers.sizes, generate, rows, spec),
                lambda: tf.zeros([0], tf.string),
            )
        }

    def _generate_batch(self, label_maps, seeds, noise_maps):
        """Draws pictures.

        Args:
            label_maps: int32 (B, H, W).
            seeds: int32 (K,), of the whole batch.
            noise_maps: int32 (B, H, W) in [0, K), which seed's noise each pixel takes.

        Returns:
            float32 (B, H, W, 3) in [-1, 1].
        """
        count = tf.size(seeds)
        patch_index = build_patch_index(
            label_maps,
            self._generator.num_classes,
            SCALES,
            noise_map=noise_maps,
            noise_vectors=count,
        )
        # It numbers the vectors picture by picture; here all pictures share one table.
        patch_index = patch_index._replace(vectors=patch_index.vectors % count)
        noise, _ = global_noise(seeds, self._generator.noise_channels)  # (K, Z)
        if self._jit_compile:
            most = self._generator.num_classes * count
            (patch_index,) = pad_together([patch_index], most, SHARES)
        return self._draw(patch_index, noise)

    def _together_or_not(self, sizes, function, rows, spec):
        """Calls `function` with all rows, or row by row.

        Args:
            sizes: int32 (B or 1, 2), of the rows' pictures.
            function: of batches to a batch.
            rows: tuple of tensors with the batch in dimension 0.
            spec: `tf.TensorSpec` of one row of the result.
        """
        count = tf.shape(rows[0])[0]
        pixels = tf.cast(count, tf.int64) * tf.reduce_max(_pixels(sizes))
        together = (pixels <= self._info.max_pixels) & tf.reduce_all(sizes == sizes[:1])

        def one(row):
            return function(*(part[None] for part in row))[0]

        return tf.cond(
            together,
            lambda: function(*rows),
            lambda: tf.map_fn(one, rows, parallel_iterations=1, fn_output_signature=spec),
        )

    def _size_checks(self, name, sizes):
        good = (sizes > 0) & (sizes % SIZE_MULTIPLE == 0)
        most = self._info.max_pixels
        return [
            require(
                tf.reduce_all(good),
                f"{name}: both sides must be multiples of {SIZE_MULTIPLE}. Received (height, "
                "width): {}",
                sizes,
            ),
            require(
                tf.reduce_all(_pixels(sizes) <= most),
                f"{name}: a picture may have {most} pixels. Received (height, width): {{}}",
                sizes,
            ),
        ]


def _map_checks(name, files, headers):
    """That there is a PNG file of the right size for each label map."""
    count = tf.shape(headers.sizes)[0]
    with tf.control_dependencies([_check_rows(name, files, count)]):
        sizes = read_headers(files, name).sizes
    same = tf.reduce_all(sizes == headers.sizes)
    return [require(same, f"{name} must have the size of label_map_bytes.")]


def _check_rows(name, tensor, count):
    return require(
        tf.shape(tensor)[0] == count,
        f"{name} must have as many rows as there are label maps, {{}}. Received: {{}}",
        count,
        tf.shape(tensor)[0],
    )


def _check_seeds(name, seed):
    return require(
        tf.reduce_min(seed) >= 0,
        f"{name} must be in 0..{MAX_SEED}. Received: {{}}",
        tf.reduce_min(seed),
    )


def _number_pictures(label_maps):
    """int32 (B, H, W), each picture filled with its number in the batch."""
    return tf.zeros_like(label_maps) + tf.range(tf.shape(label_maps)[0])[:, None, None]


def _pixels(sizes):
    return tf.reduce_prod(tf.cast(sizes, tf.int64), axis=-1)


def _each(decode, *rows):
    """Files of one size, and what their headers say -> int32 (B, H, W)."""
    spec = tf.TensorSpec((None, None), tf.int32)
    return tf.map_fn(lambda row: decode(*row), rows, fn_output_signature=spec)


def _to_png(images):
    """float32 (B, H, W, 3) in [-1, 1] -> string (B,)."""
    levels = tf.round((images + 1) * 127.5)
    return tf.io.encode_png(tf.cast(tf.clip_by_value(levels, 0, 255), tf.uint8), compression=1)
