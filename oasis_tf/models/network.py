"""What both networks are to Keras: models that it saves whole, in its own format."""

import tempfile
from pathlib import Path

from data_pipeline.files import publish
from oasis_tf.keras_setup import keras


class Network(keras.Model):
    """A `keras.Model` whose `save` leaves a whole file or none.

    Subclasses keep all arguments of their constructor as attributes and name them in `ARGUMENTS`.
    Where they are registered and imported, `keras.saving.load_model` makes the same model of the
    file, down to the last bit. Their layers need no configuration, for the constructor makes them.
    """

    ARGUMENTS = ()

    def get_config(self):
        """The arguments of the constructor, for Keras' own format."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self.ARGUMENTS}}

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Saves the model for `keras.saving.load_model`.

        Args:
            filepath: of the file, NAME.keras; in an existing directory. It is written beside and
                renamed.
            overwrite: whether a file of that name may be there.
            zipped: False writes a directory, which is not renamed. Defaults to True.
            **kwargs: as for `keras.Model.save`.

        Raises:
            FileExistsError: there is such a file, and `overwrite` is False.
            OSError: the directory cannot be written.
            ValueError: a name without ".keras".
        """
        path = Path(filepath)
        if not overwrite and path.exists():
            raise FileExistsError(f"`filepath` must be new without `overwrite`. Received: {path}")
        if zipped is False:
            super().save(path, zipped=False, **kwargs)
            return
        if path.suffix != ".keras":
            raise ValueError(f'`filepath` must end in ".keras". Received: {path}')
        # Keras opens the file before it knows whether it can write all of it.
        with tempfile.TemporaryDirectory(prefix=".save-", dir=path.parent) as directory:
            temporary = Path(directory) / path.name
            super().save(temporary, zipped=True, **kwargs)
            publish(temporary, path)
