"""Sphinx's settings for the website. helpers/site says what the pages are made from."""

from helpers.notebooks import links
from helpers.site import address

project = "Python generators"
language = "en"
extensions = ["myst_nb"]
smartquotes = False
suppress_warnings = ["misc.highlighting_failure"]  # the lessons' SQL leaves things out: …
templates_path = ["templates"]

# Stored outputs, as they are
nb_execution_mode = "off"
nb_merge_streams = True
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "Python generators on more rows than fit in memory"
html_static_path = ["page.css"]
html_css_files = ["page.css"]
html_favicon = "favicon.svg"
html_context = {"default_mode": "auto"}
html_copy_source = False
html_use_index = False
html_show_sourcelink = False
html_sidebars = {"**": ["lessons"]}
html_theme_options = {
    "logo": {"text": "Python generators"},
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "article_header_start": [],
    "article_header_end": ["binder"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "back_to_top_button": False,  # it would lie over the code
    "footer_start": [],
    "footer_end": [],
    "search_bar_text": "Search the lessons",
}

FIRST = "00_iterators_and_generators"


def setup(app):
    """Give every page its Binder link, where the course has an address."""
    app.connect("html-page-context", _binder)


def _binder(app, pagename, templatename, context, doctree):
    where = address()
    if where:
        lesson = pagename.removeprefix("notebooks/") if pagename.startswith("notebooks/") else FIRST
        context["binder"] = links.binder(where, f"{lesson}.ipynb")
