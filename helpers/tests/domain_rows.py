"""What the tests of the domains job ask the server, and the rank files that they write."""

import zipfile

from helpers.databases import ask


def checkpoint():
    """Return (last id, rows done, rows without a rank) of the synthetic ranks' job."""
    (found,) = ask("SELECT last_id, done, unranked FROM domains_checkpoint WHERE job = %s", "synthetic ranks")
    return found


def last_id():
    """Return the last id that any job has done, 0 if none has."""
    return ask("SELECT MAX(last_id) FROM domains_checkpoint")[0][0] or 0


def write(path, content, zipped=False):
    """Write a rank file; return its path."""
    content = content if isinstance(content, bytes) else content.encode()
    if zipped:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("list.csv", content)
    else:
        path.write_bytes(content)
    return path
