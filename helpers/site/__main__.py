"""Make the website: python -m helpers.site [FOLDER]."""

import shutil
import sys
from pathlib import Path

from helpers import site


def main(folder=site.BUILT):
    """Make the site in folder/html; return Sphinx's exit status. A warning (a link that leads nowhere) is an error."""
    from sphinx.cmd.build import build_main

    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    site.stage(folder)
    options = ["-q", "-W", "--keep-going", "-c", str(Path(__file__).parent), "-d", str(folder / "doctrees")]
    options += ["-D", f"html_extra_path={folder / 'files'}"]
    status = build_main([*options, str(folder / "pages"), str(folder / "html")])
    site.polish(folder / "html")
    if not status:
        print(f"The site is in {folder / 'html'}: open index.html there.")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
