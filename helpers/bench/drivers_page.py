"""Write data/DRIVERS.md from the records of the drivers table: python -m helpers.bench.drivers_page"""

import json

from helpers.bench.comparison import RECORDS
from helpers.bench.ways import CLAIMS, WAYS

PAGE = RECORDS.parent / "DRIVERS.md"
SERVERS = ("mariadb", "mysql")
MARKS = {"holds all": "holds all", "streams": "**streams**"}

HOW_TO_READ = """\
Each way ran in fresh Python processes, its modules imported before memory was counted. **Peak** is the memory above
that, for the whole table. **First row** is what it took until the first row (or batch) was handed out: milliseconds,
and how many rows had left the server by then, by the bytes that had passed. **Stop** is what closing took after six
rows, and how many rows the server had read by then. **Paused** is the memory while a consumer that has taken six
rows thinks. A way *holds all* when more than half of the rows had come before the first one was handed out;
otherwise it *streams*. A streaming way whose peak is over half of the bytes that came *keeps all that it has read*.
One whose *stop reads the rest* saves memory, and makes you wait for rows that you do not want."""


def records():
    """Return the records (dict) by kind of server; those that are there."""
    paths = {server: RECORDS / f"drivers_{server}.json" for server in SERVERS}
    return {server: json.loads(path.read_text()) for server, path in paths.items() if path.exists()}


def page(found):
    """Return the page (str) of these records."""
    parts = [
        "# What really streams: reading MySQL from Python",
        "<!-- Made by `python -m helpers.bench.drivers_page` from data/benchmarks/drivers_*.json: do not edit. -->",
        HOW_TO_READ,
        "## In one line each",
        _verdicts(found),
        *(_table(record) for record in found.values()),
        "## What makes it stream",
        "The lines that were measured. `query` is a SELECT of the whole table in the order of its key; `where` "
        "says how the server is reached.",
        *_lines(found),
        "## What the documents say",
        _claims(found),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(found, way):
    """Return a way's verdict (str), or those of the servers where they differ; None where it was measured nowhere."""
    told = {server: record["results"][way.name]["verdict"] for server, record in found.items()
            if way.name in record["results"]}  # fmt: skip
    if len(set(told.values())) > 1:
        return "; ".join(f"{verdict} ({server})" for server, verdict in told.items())
    return next(iter(told.values()), None)


def _verdicts(found):
    """A list: for each library and driver, whether it streams, or with which options alone; and at what price."""
    lines = []
    for group in _groups():
        verdicts = {_option(way): verdict for way in group if (verdict := _verdict(found, way))}
        prices = {name: told.removeprefix("streams") for name, told in verdicts.items() if told.startswith("streams")}
        alike = len(set(prices.values())) == 1
        if not verdicts:
            continue
        if not prices:
            told = "holds all, with every option that was tried"
        elif len(prices) == len(verdicts):
            told = "streams"
        else:
            in_brackets = {price: "" if alike or not price else f" ({price.strip(';, ')})" for price in prices.values()}
            told = "streams only with " + " or ".join(f"`{name}`{in_brackets[price]}" for name, price in prices.items())
        lines.append(f"- **{_group_name(group)}** {told}{next(iter(prices.values())) if alike else ''}.")
    return "\n".join(lines)


def _groups():
    """The ways of one library and driver, together."""
    groups = {}
    for way in WAYS:
        groups.setdefault(_group_name([way]), []).append(way)
    return groups.values()


def _group_name(group):
    way = group[0]
    driver, comma, _ = way.option.partition(", ")
    return (
        f"{way.library} with {driver}"
        if comma and not driver.startswith(("raw", "aio", "default", "a "))
        else way.library
    )


def _option(way):
    return way.option.rpartition(", ")[2] if _group_name([way]) != way.library else way.option


def _table(record):
    machine = record["machine"]
    again = "".join(f" Measured again on {date}: {name}." for name, date in record.get("again", {}).items())
    head = [
        f"## {machine['server']}",
        f"{record['rows']:,} rows, {record['date']}, {machine['processor']} with {machine['cores']} cores, Python "
        f"{machine['python']}; medians of {record['repeats']} runs.{again}",
    ]
    rows = [
        "| way | verdict | peak MiB | rows/s | first row ms | rows by then | stop ms | rows read by then | raised | "
        "left open | paused MiB |",
        "|---|---|--:|--:|--:|--:|--:|--:|---|--:|--:|",
    ]
    for way in WAYS:
        if row := record["results"].get(way.name):
            rows.append(
                f"| {way.name} | {MARKS.get(row['verdict'], row['verdict'])} | {row['peak_mib']:,.1f} | "
                f"{row['rows_per_second']:,} | {row['first_ms']:,g} | {row['first_rows']:,} | {row['stop_ms']:,g} | "
                f"{row['stop_rows_read']:,} | {row['stop_raised']} | {row['left_open']} | {row['paused_mib']:,.1f} |"
            )
    missing = [f"- {name}: not measured; {why}" for name, why in record["missing"].items()]
    return "\n\n".join([*head, "\n".join(rows), *(["\n".join(missing)] if missing else [])])


def _lines(found):
    """For each library, the code of its ways that stream."""
    for group in _groups():
        for way in group:
            if way.streams and (_verdict(found, way) or "").startswith("streams"):
                yield f"**{way.name}**\n\n```python\n{way.code}\n```"


def _claims(found):
    rows = ["| library | its documents | measured |", "|---|---|---|"]
    for library, (claim, address) in CLAIMS.items():
        told = [f"{way.option}: {_verdict(found, way)}" for way in WAYS
                if way.library == library and _verdict(found, way)]  # fmt: skip
        if told:
            rows.append(f"| {library} | {claim} ([source]({address})) | {'<br>'.join(told)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(records()), encoding="utf-8")
    print(f"written to {PAGE}")
