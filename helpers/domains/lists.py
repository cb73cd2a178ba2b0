"""Read the files of rank lists: one `rank,domain` line after the other, plain or zipped."""

import contextlib
import io
import re
import zipfile
import zlib

LARGEST_RANK = 2**32 - 1  # what INT UNSIGNED holds
LONGEST_LINE = 1_000  # characters of a line of a rank file

_is_domain = re.compile(r"[A-Za-z0-9._-]{1,255}").fullmatch


def read_ranks(path):
    """Yield (domain, rank) for each line `rank,domain` of a file, plain or zipped; raises as TrancoRanks does."""
    with _text(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            rank, _, domain = line.rstrip("\r\n").partition(",")
            if not (rank.isascii() and rank.isdigit() and len(rank) <= 10 and 0 < int(rank) <= LARGEST_RANK):
                what = f"the rank is {rank!r:.60}, not an integer from 1 to {LARGEST_RANK:,}"
            elif not _is_domain(domain):
                what = f"the domain is {domain!r:.60}; it should be 1 to 255 letters, digits, dots and hyphens"
            else:
                yield domain.lower(), int(rank)
                continue
            raise ValueError(f"{path}, line {number}: {what}. Each line should read rank,domain: 1,example.com")
    if not number:
        raise ValueError(f"{path}: the file is empty; each line should read rank,domain: 1,example.com")


@contextlib.contextmanager
def _text(path):
    """Open a file of text, or the one file in a zip file, for reading."""
    options = {"encoding": "utf-8-sig", "errors": "replace", "newline": None}  # a byte that is no UTF-8 is no domain
    with contextlib.ExitStack() as opened:
        if not zipfile.is_zipfile(path):
            yield opened.enter_context(open(path, **options))
            return
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(files) != 1:
                raise ValueError(f"{path}: there are {len(files)} files in it; there should be one, the list")
            yield opened.enter_context(io.TextIOWrapper(archive.open(files[0]), **options))
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:  # broken, or locked
            raise ValueError(f"{path}: cannot be unzipped: {error}") from None
