"""The command line of helpers.notebooks."""

import os
import sys

import helpers.notebooks
from helpers.notebooks import LESSONS, copies, find, links, minutes, store


def main(arguments):
    """Run one of the commands that helpers.notebooks lists; return the exit status."""
    command, *names = arguments or [""]
    if command == "links":
        return _links(*names)
    paths = [find(name) for name in names] or sorted(LESSONS.glob("*.ipynb"))
    if command == "minutes":
        print(minutes.table(paths))
    elif command == "copies":
        copies.make(paths)
    elif command == "fresh" and names:
        for path in paths:
            copies.renew(path)
    elif command in ("run", "clean", "clear"):
        os.environ["TQDM_DISABLE"] = "1"  # progress bars leave no trace in stored outputs
        for path in paths:
            _store(command, path)
    else:
        print(helpers.notebooks.__doc__, file=sys.stderr)
        return 2
    return 0


def _links(url=None):
    url = url or links.origin()
    try:
        if url is None:
            raise ValueError("This clone has no origin. Give the address: make links URL=https://github.com/OWNER/NAME")
        address = None if url == "none" else links.web_address(url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    links.put(address)
    print(f"The links lead to {address}." if address else "No file holds an address of the course.")
    return 0


def _store(command, path):
    print(f"{command} {path.name}", flush=True)
    if command == "run":
        store.run(path, fresh=bool(os.environ.get("FRESH")))
    elif command == "clean":
        store.write(store.clean(helpers.notebooks.read(path), path.stem), path)
    else:
        store.write(store.clear(helpers.notebooks.read(path)), path)
    if path.parent == LESSONS:
        minutes.state_in_readme(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
