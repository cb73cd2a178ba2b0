"""Read rank lists: `rank,domain` lines, or the columns of those who publish such lists; plain, .zip or .gz."""

import contextlib
import csv
import gzip
import io
import re
import shlex
import zipfile
import zlib
from itertools import chain
from pathlib import Path, PurePosixPath

LARGEST_RANK = 2**32 - 1  # what INT UNSIGNED holds
LONGEST_LINE = 1_000  # characters of a line of a rank file
RANK_COLUMNS = ("rank", "globalrank")  # of DomCop, Cloudflare Radar; of the Majestic Million
SHOULD = "Each line should read rank,domain: 1,example.com"
PACKED = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR"}
NO_DOMAIN_YET = "\u00df\u03c2\u200c\u200d"  # letters that IDNA 2003 and IDNA 2008 write as different domains

_is_domain = re.compile(r"[a-z0-9._-]{1,255}").fullmatch
# What nearly every line is, and then nothing of it needs to be changed: told by one look, which saves half of the time
_is_plain = re.compile(r"([1-9][0-9]{0,8}),([a-z0-9._-]{0,254}[a-z0-9_-])").fullmatch


def read_ranks(path):
    """Yield (domain, rank) for each line of a rank list, the domain as in_dns gives it; raises as TrancoRanks does."""
    with _text(path) as file:
        lines = _lines(file)
        first = next(lines, None)
        if first is None:
            raise ValueError(f"{path}: the file is empty. {SHOULD}")
        columns = _columns(path, first[1])
        for number, line in lines if columns else chain([first], lines):
            if not columns and (plain := _is_plain(line)):
                yield plain[2], int(plain[1])
                continue
            rank, domain = _fields(line, columns) if columns else line.partition(",")[::2]
            name, what = "", ""
            if not (rank.isascii() and rank.isdigit() and len(rank) <= 10 and 0 < int(rank) <= LARGEST_RANK):
                what = f"the rank is {rank!r:.60}, not an integer from 1 to {LARGEST_RANK:,}. {SHOULD}"
            elif "://" in domain:
                what = f"the domain is {domain!r:.60}, a URL. {_instead(path, URLS_AWK)}"
            else:
                with contextlib.suppress(ValueError):
                    name = in_dns(domain)
                if not _is_domain(name):
                    what = f"the domain is {domain!r:.60}, not 1 to 255 letters, digits, dots and hyphens. {SHOULD}"
                    if not domain.isascii():
                        what = f"the domain is {domain!r:.60}, which is not a name. Write its ASCII form (xn--…)"
            if what:
                raise ValueError(f"{path}, line {number}: {what}")
            yield name, int(rank)


def in_dns(domain):
    """Return a domain as it stands in the DNS: lower case, no final dot, ASCII (IDNA); ValueError if it cannot be.

    >>> in_dns("München.Example.")
    'xn--mnchen-3ya.example'
    """
    name = domain.lower().removesuffix(".")
    if name.isascii():
        return name
    if any(letter in name for letter in NO_DOMAIN_YET):
        raise ValueError(f"{domain!r} is one domain by IDNA 2003 and another one by IDNA 2008")
    return name.encode("idna").decode()


def _lines(file):
    """Yield (number, line) without line ends; blank lines at the end are left out."""
    number, blank = 0, None
    while line := file.readline(LONGEST_LINE):
        number += 1
        line = line.rstrip("\r\n")
        if not line.strip():
            blank = blank or (number, line)
            continue
        if blank:
            yield blank
            blank = None
        yield number, line


# The columns of those who publish lists -------------------------------------------------------------------------------

URLS_AWK = r"""awk '{ sub(/[A-Za-z]+:\/\//, ""); sub(/[\/:?].*/, ""); print }'"""
CRUX_AWK = r"""awk -F, 'NR > 1 { sub(/\r/, ""); sub(/[a-z]+:\/\//, "", $1); sub(/:.*/, "", $1); print $2 "," $1 }'"""
BUCKET_AWK = r"""awk 'NR > 1 { sub(/\r/, ""); print "%s," $1 }'"""


def _columns(path, line):
    """Return the places of rank and domain if `line` is the header of a list that is known; None if it is no header."""
    names = [name.strip().lower() for name in _split(line)]
    rank = next((names.index(name) for name in RANK_COLUMNS if name in names), None)
    if rank is not None and "domain" in names:
        return rank, names.index("domain")
    if {"origin", "rank"} <= {*names}:
        raise ValueError(
            f"{path}, line 1: a list of the Chrome UX Report (CrUX). It has origins, such as https://www.example.com, "
            f"and no ranks but the top 1,000, 5,000, … that each is in. {_instead(path, CRUX_AWK)}"
        )
    if names == ["domain"]:
        size = re.search(r"top-(\d+)", Path(path).name)
        also = "" if size else " (write the bucket's size for 1000)"
        line = _instead(path, BUCKET_AWK % (size[1] if size else "1000"))
        raise ValueError(
            f"{path}, line 1: a bucket of Cloudflare Radar. It has the domains of the top 1,000 or so in no order, "
            f"without ranks. {line}{also}"
        )
    return None


def _instead(path, command):
    """Say which line in a terminal makes a list of hosts with ranks from one that has none."""
    quoted = shlex.quote(str(path))
    unpack = {".gz": "gzip -dc", ".zip": "unzip -p"}.get(Path(path).suffix.lower())
    line = f"{unpack} {quoted} | {command}" if unpack else f"{command} {quoted}"
    return f"If hosts with that rank are what you want (www. is part of the name), convert it: {line} > ranks.csv"


def _fields(line, columns):
    fields = _split(line)
    return [fields[place] if place < len(fields) else "" for place in columns]


def _split(line):
    return next(csv.reader([line.replace("\0", "\ufffd")]))


# Opening --------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _text(path):
    """Open a list for reading as text: a file, or the one file in a zip or gzip file."""
    options = {"encoding": "utf-8-sig", "errors": "replace", "newline": None}  # a byte that is no UTF-8 is no domain
    with open(path, "rb") as file:
        start = file.read(6)
    how = next((name for magic, name in PACKED.items() if start.startswith(magic)), None)
    if how:
        raise ValueError(f"{path}: packed with {how}, which is not read. Unpack it, or pack it with gzip or zip")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError(f"{path}: encoded as UTF-16. Save it as UTF-8")
    zipped, gzipped = start.startswith(b"PK"), start.startswith(b"\x1f\x8b")
    with contextlib.ExitStack() as opened:
        if not (zipped or gzipped):
            yield opened.enter_context(open(path, **options))
            return
        try:
            if zipped and not zipfile.is_zipfile(path):  # the table of its files stands at the end
                raise EOFError
            file = _in_zip(path, opened) if zipped else opened.enter_context(gzip.open(path))
            yield opened.enter_context(io.TextIOWrapper(file, **options))
        except EOFError:
            kind = "zip" if zipped else "gzip"
            raise ValueError(f"{path}: the {kind} file is cut off, its end is missing. Download it again") from None
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, RuntimeError, NotImplementedError) as error:
            raise ValueError(f"{path}: cannot be unzipped: {error}") from None  # broken, or locked


def _in_zip(path, opened):
    """Open the one file in a zip file; what macOS adds does not count."""
    archive = opened.enter_context(zipfile.ZipFile(path))
    files = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_of_macos(entry.filename)]
    if len(files) != 1:
        names = ", ".join(entry.filename for entry in files)[:200]
        raise ValueError(f"{path}: there are {len(files)} files in it ({names}); there should be one, the list")
    return archive.open(files[0])


def _is_of_macos(name):
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] == ".DS_Store"
