"""What is measured: one module a part, found by its file name.

A part's docstring begins with its title, and `run(options)` takes `benchmarks.options.Options`
and returns a list of rows made by `benchmarks.rows`.
"""

import pkgutil

PARTS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
