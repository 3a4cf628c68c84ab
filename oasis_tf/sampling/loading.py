"""Opens whatever holds a trained model."""

from data_pipeline.errors import DataError
from oasis_tf.model_path import check_model_path, find_saved_model, local_model


def load(path, *, jit_compile=False):
    """Loads a trained model.

    Args:
        path: a training run (the averaged generator of its best checkpoint), a checkpoint
            converted by `oasis_tf.convert`, or an exported SavedModel: its numbered directory, or
            the one around it, of which the highest number is taken. Or a model that
            `oasis_tf.publish` has uploaded to the Hugging Face Hub: "hf://USER/NAME", of its newest
            state, or "hf://USER/NAME@REVISION".
        jit_compile: XLA compiles the generator, once for each size of pictures and roughly each
            doubling of distinct patches; a SavedModel is as it was exported. Defaults to False.

    Returns:
        `oasis_tf.sampling.synthesizer.Synthesizer`.

    Raises:
        DataError, ConfigError (both ValueErrors): there is nothing of the kind, it is damaged, or
            cannot be fetched.
    """
    path = local_model(path)
    check_model_path(path, "a model")
    exported = find_saved_model(path)
    if exported is None and not (path / "config.json").is_file():
        raise DataError(
            "a model must be a training run, a converted checkpoint or an exported SavedModel. "
            f"Received: {path}, {_what_is_there(path)}"
        )
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    from oasis_tf.sampling.synthesizer import Source, Synthesizer

    if exported is not None:
        from oasis_tf.sampling.saved_model_backend import SavedModelBackend

        backend = SavedModelBackend(exported)
        source = Source(f"{exported} (SavedModel)", None)
        return Synthesizer(backend, backend.legend, backend.image_size, source)
    from oasis_tf.checkpoints.run_dir import open_run_dir
    from oasis_tf.sampling.generator_backend import GeneratorBackend

    model = open_run_dir(path)
    backend = GeneratorBackend(model.load_generator(), jit_compile=jit_compile)
    source = Source(model.title, model.checkpoint)
    return Synthesizer(backend, model.legend, model.config.image_size, source)


def _what_is_there(path):
    if not path.is_dir():
        return "no such directory"
    if any(path.glob("*.pth")) or any(path.glob("models/*.pth")):
        return "PyTorch checkpoints, which python -m oasis_tf.convert makes usable"
    return "which holds none"
