"""Sphinx: the site that `make docs` makes of the pages and of the docstrings.

Its source folder is the repository's own: so links between pages, and from pages to files, are the
same on the site and on a repository's host.
"""

import re
from pathlib import Path

import mirimask

project = "mirimask"
author = "The mirimask developers"
version = release = mirimask.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/modules/*.rst",
    "config/*.md",
    "benchmarks/*.md",
    "tests/real/*.md",
]

myst_heading_anchors = 3

highlight_language = "none"  # of a block that names none: output, tables
default_role = "code"  # in docstrings, too, `name` is code
autodoc_mock_imports = ["jwst", "stdatamodels", "stpipe"]  # optional, and large
autodoc_member_order = "bysource"
napoleon_google_docstring = False
python_maximum_signature_line_length = 80

html_theme = "furo"
html_copy_source = False
html_use_index = html_domain_indices = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"mirimask {release}"
html_additional_pages = {"index": "to_contents.html"}
templates_path = [str(Path(__file__).with_name("templates"))]


def short_types(app, what, name, obj, options, signature, returned):
    """Arrays in a signature as they are written in the code."""
    long = re.compile(r"ndarray\[tuple\[Any, \.\.\.\], dtype\[([\w.]+)\]\]")
    return tuple(text and long.sub(r"NDArray[\1]", text) for text in (signature, returned))


def setup(app):
    app.connect("autodoc-process-signature", short_types)
