"""How the documentation is built: ``nox -s docs``."""

from __future__ import annotations

import importlib.metadata

project = "Kolben"
author = "The Kolben authors"
copyright = "2026, The Kolben authors"
version = release = importlib.metadata.version("kolben")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest"]
exclude_patterns = ["_build"]
root_doc = "index"

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Kolben {version}"
html_static_path: list[str] = []

autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

doctest_test_doctest_blocks = ""

nitpicky = False
