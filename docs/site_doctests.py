"""An extension of griffe (see mkdocs.yml): doctests in docstrings become blocks of code."""

import re

import griffe

_DOCTEST = re.compile(r"^( *)>>> .*(?:\n\1\S.*)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Puts fences around doctests; without them Markdown takes `>>>` for a quotation."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = _DOCTEST.sub(r"\1```pycon\n\g<0>\n\1```", obj.docstring.value)
