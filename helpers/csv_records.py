"""Read the records of a CSV file one at a time, and say clearly what is wrong with a file that is none."""

import contextlib
import csv
import os
import re
import stat
import sys

DIALECT = {"strict": True, "skipinitialspace": True}
LONGEST_LINE = 2**20  # characters of one line of a CSV file: a file without line ends must not fill the memory
LONGEST_RECORD = 100  # lines of one that has blanks behind its quotes
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}  # what some files have in the place of commas
TO_UTF_8 = (
    "save it as UTF-8 (in Excel as CSV UTF-8), or convert it: "
    "pathlib.Path(new).write_text(pathlib.Path(old).read_text({!r}), 'utf-8')"
)
PACKED = {
    b"PK\3\4": "an Excel workbook or another zip file; in Excel save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; in Excel save it as CSV UTF-8",
    b"\x1f\x8b": "packed with gzip; unpack it: gunzip",
}
TO_COMMAS = "save it with commas, or convert it: pandas.read_csv(old, sep={!r}).to_csv(new, index=False)"


def records(path, columns):
    """Yield the records of a CSV file: the line (int) in which each begins, and its fields, a list of str.

    Parameters
    ----------
    path : str or pathlib.Path
        A file in UTF-8, with or without a byte order mark. Bytes that are not UTF-8 come out as lone surrogates.
    columns : iterable of str
        Columns that its header should name: by them a file with another delimiter is known.

    Raises
    ------
    ValueError
        A workbook or a packed file, a file in UTF-16, with another delimiter, without line ends, or with quotes that do
        not match: with its name and the line, and what to do.
    OSError
        The file cannot be read.
    """
    if not (os.path.isdir(path) or stat.S_ISREG(os.stat(path).st_mode)):  # open() would wait for ever at a pipe
        raise ValueError(f"{path}: not a file but a pipe or a device; copy its content to a file")
    _refuse_other_formats(path)
    # surrogateescape keeps bytes that are not UTF-8 until _text can say in which line and column they are
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        taken = []  # the lines of the record at work
        lines = _lines(file, path, taken, columns)
        reader = csv.reader(lines, **DIALECT)
        header, line = [], 1
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fields = _without_blanks_after_quotes(taken, lines)
                if fields is None:
                    column = _faulty_column(taken, header)
                    message = f"{path}, line {line}, column {column}: not readable as CSV: {error}"
                    raise ValueError(message) from None
            header = header or fields
            yield line, fields
            line += len(taken)
            taken.clear()


def _refuse_other_formats(path):
    """Raise ValueError for a workbook, a packed file, or one in UTF-16 or UTF-32, as Excel's "Unicode Text" is."""
    with open(path, "rb") as file:
        start = file.read(64)
    for magic, what in PACKED.items():
        if start.startswith(magic):
            raise ValueError(f"{path}, line 1: no CSV file but {what}")
    encoding = "utf-32" if start.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")) else "utf-16"
    every_second_is_0 = len(start) > 3 and any(start[::2]) != any(start[1::2])
    if every_second_is_0 or start.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        raise ValueError(f"{path}, line 1: the file is {encoding.upper()}, not UTF-8; {TO_UTF_8.format(encoding)}")


def _lines(file, path, taken, columns):
    """Yield the lines of a file, none of them longer than LONGEST_LINE, and note each in the list `taken`."""
    for number in range(1, sys.maxsize):
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            raise ValueError(f"{path}, line {number}: longer than {LONGEST_LINE:,} characters; is this a CSV file?")
        if number == 1:
            _refuse_delimiter(line, path, columns)
        taken.append(line)
        yield line


def _refuse_delimiter(header, path, columns):
    """Raise ValueError where the first line of a file names the columns, but not with commas between them."""

    def separated_by(delimiter):
        return {*columns} <= {column.strip(' "\t\r\n').lower() for column in header.split(delimiter)}

    for delimiter, name in DELIMITERS.items():
        if separated_by(delimiter) and not separated_by(","):
            raise ValueError(
                f"{path}, line 1: the columns are separated by {name}, not by commas; {TO_COMMAS.format(delimiter)}"
            )


def _without_blanks_after_quotes(taken, lines):
    """Return the fields of a record that has blanks between a closing quote and the comma; None if that was not it."""
    while len(taken) <= LONGEST_RECORD:
        text = re.sub(r'(^|,) *("(?:[^"]|"")*")[ \t]*(?=[,\r\n]|\Z)', r"\1\2", "".join(taken))
        try:
            return next(csv.reader([text], **DIALECT))
        except csv.Error as error:
            if "unexpected end of data" not in str(error) or not next(lines, None):  # adds a line to those taken
                return None
    return None


def _faulty_column(lines, header):
    """Return the name of the column (or its number) at which a record stops being CSV."""
    text, whole = "".join(lines), 0
    for comma in [match.start() for match in re.finditer(",", text[:10_000])]:
        with contextlib.suppress(csv.Error):
            (fields,) = csv.reader([text[:comma]], **DIALECT)
            whole = len(fields)
    return header[whole].strip().lower() if whole < len(header) else whole + 1


def printable(text):
    """Write what cannot be shown, bytes that are not UTF-8 among it, as Python would; cut off what is long."""
    return (text if text.isprintable() else ascii(text)[1:-1])[:50]
