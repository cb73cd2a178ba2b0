"""Run `python -m helpers.bench NAME [--rows N]`: one comparison in fresh processes, in turns, as table and record."""

import argparse
import importlib
import sys

import mysql.connector

from helpers import server
from helpers.bench import comparison

MODULES = {
    "stream": "stream", "fastest": "fastest", "seed": "seeding", "paginate": "paginate", "ranks": "ranks",
    "stop": "stop", "check": "checker", "workers": "workers",
}  # fmt: skip


def measure(name, rows=None, repeats=None):
    """Run one comparison; return its record (a dict) as comparison.record describes it."""
    module = importlib.import_module(f"helpers.bench.{MODULES[name]}")
    rows, repeats = rows or module.ROWS, repeats or module.REPEATS
    with module.versions(rows) as versions:
        runs = comparison.run(versions, rows, repeats)
        return comparison.record(name, module.ABOUT, rows, module.REFERENCE, versions, runs)


def watch_drivers(chosen):
    """Run the drivers table; store its record and page, or compare its verdicts with the record; return the status."""
    from helpers.bench import drivers, drivers_page

    found = drivers.measure(chosen.rows, chosen.repeats, chosen.only)
    print(drivers.table(found))
    if chosen.check:
        told = drivers.changes(found, comparison.stored(found, chosen.folder))
        print("\n".join(told) or "every verdict is that of the record")
        return 1 if told else 0
    if chosen.only:
        try:
            found = drivers.replaced(comparison.stored(found, chosen.folder), found)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
    print(f"written to {comparison.store(found, chosen.folder)}", flush=True)
    drivers_page.PAGE.write_text(drivers_page.page(drivers_page.records()), encoding="utf-8")
    return 0


def main(arguments=None):
    """Run from a terminal; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers.bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(MODULES)}; all of them if none is named")
    parser.add_argument("--rows", type=int, help="rows of the table; each comparison has its own default")
    parser.add_argument("--repeats", type=int, help="how often each version runs")
    parser.add_argument("--folder", default=comparison.RECORDS, help="where the records go (%(default)s)")
    parser.add_argument("--check", action="store_true",
                        help="drivers: store nothing, and fail where a verdict differs from the record's")  # fmt: skip
    parser.add_argument("--only", nargs="+", default=(), metavar="TEXT",
                        help="drivers: measure only ways with TEXT in their names, into the record")  # fmt: skip
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - {*MODULES, "drivers"}:
        parser.error(f"there is no comparison {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}, drivers")
    if chosen.names != ["drivers"] and ("drivers" in chosen.names or chosen.check or chosen.only):
        parser.error("drivers runs alone, and --check and --only belong to it")
    if chosen.check and chosen.only:
        parser.error("--check looks at every way")
    if any(number is not None and number < 1 for number in (chosen.rows, chosen.repeats)):
        parser.error("--rows and --repeats must be positive integers")
    try:
        if "drivers" in chosen.names:
            return watch_drivers(chosen)
        for name in chosen.names or MODULES:
            found = measure(name, chosen.rows, chosen.repeats)
            print(f"\n{name}, {found['rows']:,} rows, {found['machine']['server']}: {found['about']}")
            print(comparison.table(found))
            print(f"written to {comparison.store(found, chosen.folder)}", flush=True)
    except (mysql.connector.Error, server.ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
