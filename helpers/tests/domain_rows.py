"""What the tests of the domains job ask the server, and the rank files that they write."""

import contextlib
import zipfile

from helpers import seed
from helpers.databases import ask


def checkpoint():
    """Return (last id, rows done, rows without a rank) of the synthetic ranks' job."""
    (found,) = ask("SELECT last_id, done, unranked FROM domains_checkpoint WHERE job = %s", "synthetic ranks")
    return found


def last_id():
    """Return the last id that any job has done, 0 if none has."""
    return ask("SELECT MAX(last_id) FROM domains_checkpoint")[0][0] or 0


@contextlib.contextmanager
def held(number, connect=seed.connect_to_prodev):
    """Hold the row with this id inside the block: a job that is to be stopped does not get past it before."""
    with contextlib.closing(connect()) as connection, contextlib.closing(connection.cursor()) as cursor:
        # Shared: the job's reading ahead, which locks as well, passes; it would hold up earlier rows on MariaDB 11.8
        cursor.execute("SELECT id FROM domains WHERE id = %s LOCK IN SHARE MODE", (number,))
        assert cursor.fetchall() == [(number,)]
        yield


def write(path, content, zipped=False):
    """Write a rank file; return its path."""
    content = content if isinstance(content, bytes) else content.encode()
    if zipped:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("list.csv", content)
    else:
        path.write_bytes(content)
    return path
