"""The job from a terminal: python -m helpers.domains fill, rank, status or verify."""

import argparse
import sqlite3
import sys

import mysql.connector

from helpers import server
from helpers.domains.batches import SAFE, TARGET_SECONDS
from helpers.domains.filling import fill
from helpers.domains.ranking import update_ranks
from helpers.domains.ranks import TrancoRanks, synthetic_ranks
from helpers.domains.status import status, verify


def main(arguments=None):
    """Run one of the commands; return the exit status: 1 for an error, 130 after Ctrl-C, as shells have it."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "fill":
            done = fill(chosen.rows, chosen.seconds)
            ended = done.last_id >= done.rows
        elif chosen.command == "rank":
            source = TrancoRanks(chosen.tranco) if chosen.tranco else synthetic_ranks
            done = update_ranks(source, chosen.seconds, chosen.restart, allow_unmatched=chosen.allow_unmatched)
            ended = done.finished
        else:
            done, ended = status() if chosen.command == "status" else verify(), True
        print(done)
        return 1 if chosen.command == "verify" and not done.right else 0 if ended else 130
    except (mysql.connector.Error, server.ServerError, ValueError, RuntimeError, OSError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Stopped at once. {SAFE}", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="python -m helpers.domains", description="The job of lesson 06.")
    commands = parser.add_subparsers(dest="command", required=True)
    filling = commands.add_parser("fill", help="add made-up domains")
    filling.add_argument("--rows", type=int, required=True, help="the number of the last row")
    ranking = commands.add_parser("rank", help="write each domain's rank beside it, going on where it was stopped")
    ranking.add_argument(
        "--tranco", metavar="FILE",
        help="ranks from a list: rank,domain lines (Tranco), Majestic, DomCop, Cloudflare Radar; plain, .zip or .gz",
    )  # fmt: skip
    ranking.add_argument("--restart", action="store_true", help="begin again at the first row")
    ranking.add_argument("--allow-unmatched", action="store_true", help="go on where the list matches no domain at all")
    for command in (filling, ranking):
        command.add_argument("--seconds", type=float, default=TARGET_SECONDS, help="time for a batch (%(default)s)")
    commands.add_parser("status", help="how large the table is, and how far the ranking is")
    commands.add_parser("verify", help="let the server compare every row with what it should be")
    return parser


if __name__ == "__main__":
    sys.exit(main())
