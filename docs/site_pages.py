"""A hook of mkdocs (see mkdocs.yml): the pages of the site that are no files of docs/.

Links in the Markdown files lead from file to file in the repository, so that they can be followed
there; on the site they lead from page to page.
"""

import contextlib
import importlib
import io
import os
import posixpath
import re
from pathlib import Path
from unittest import mock

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
ROOMS = ("data_pipeline", "oasis_tf")
# Files outside of docs/ that the site has, and what they are called there.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks/method.md",
    "benchmarks/RESULTS.md": "benchmarks/results.md",
    "experiments/claims/camvid.json": "claims/camvid.json",
    "experiments/claims/sample.json": "claims/sample.json",
    "experiments/start/kernels.json": "training_start/kernels.json",
    "experiments/start/results.json": "training_start/results.json",
    "CITATION.cff": "CITATION.cff",
    "LICENSE": "LICENSE.txt",
}
INSIDE_OUT = {page: path for path, page in OUTSIDE.items()}
# The roles of commands that have some.
ROLES = {"data_pipeline.service": ("dispatcher", "worker")}
WIDTH = "82"  # of a help text, which goes by the terminal's
LINK = re.compile(r"(\]\()(?!\w+:|#)([^)\s#]+)")


def on_config(config):
    """Appends the reference to the navigation, which mkdocs.yml begins."""
    modules = [{package: f"api/{package}.md"} for package in _packages()]
    config.nav.append({"Reference": [{"Commands": "commands.md"}, {"Modules": modules}]})
    return config


def on_files(files, config):
    """Adds the files that are written nowhere, or elsewhere."""
    for path, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    files.append(File.generated(config, "commands.md", content=_commands_page()))
    for package, modules in _packages().items():
        text = "\n\n".join([f"# {package}", *(f"::: {module}" for module in modules)])
        files.append(File.generated(config, f"api/{package}.md", content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turns links between files into links between pages."""
    here = page.file.src_uri
    folder = posixpath.dirname(INSIDE_OUT.get(here, f"docs/{here}"))

    def lead(match):
        target = _page_of(posixpath.normpath(posixpath.join(folder, match[2])))
        return match[1] + posixpath.relpath(target, posixpath.dirname(here) or ".")

    return LINK.sub(lead, markdown)


def _page_of(path):
    """The page that a file of the repository has become."""
    if path.startswith(ROOMS) and path.endswith(".py"):
        module = path.removesuffix(".py").replace("/", ".")
        return f"api/{module.rpartition('.')[0]}.md#{module}"
    return OUTSIDE.get(path, path.removeprefix("docs/"))


def _modules():
    """{module: its text} of both rooms, packages by their own name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): text
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if (text := path.read_text(encoding="utf-8")).strip()
    }


def _is_command(text):
    return '__name__ == "__main__"' in text


def _packages():
    """{package: its modules that are no commands}; a package is the first of its modules."""
    packages = {}
    for module, text in _modules().items():
        if not _is_command(text):
            is_package = (ROOT / module.replace(".", "/")).is_dir()
            package = module if is_package else module.rpartition(".")[0]
            packages.setdefault(package, []).append(module)
    return {package: sorted(modules) for package, modules in sorted(packages.items())}


def _commands_page():
    parts = ["# Commands", "What each prints with `--help`."]
    for module, text in _modules().items():
        if _is_command(text):
            parts.append(f"## {module}")
            for words in ((), *((role,) for role in ROLES.get(module, ()))):
                parts.append(f"```text\n{_help(module, *words)}```")
    return "\n\n".join(parts)


def _help(module, *words):
    """What `python -m MODULE WORDS --help` prints."""
    printed = io.StringIO()
    with (
        mock.patch.dict(os.environ, COLUMNS=WIDTH),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
    ):
        importlib.import_module(module).main([*words, "--help"])
    return printed.getvalue()
