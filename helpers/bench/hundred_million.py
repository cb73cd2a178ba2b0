"""The run that lesson 06 shows: fill and rank 100 million domains, kill on the way, resume, and verify every row.

    COURSE_BUFFER_POOL=8G python -m helpers.bench.hundred_million [--rows N] [--record FILE] [--status FILE]
    COURSE_BUFFER_POOL=8G python -m helpers.bench.hundred_million --single

It runs `python -m helpers.domains` as anybody would from a terminal, on the private server (COURSE_SERVER_DIR), watches
both processes, and kills with signal 9: a client in the middle of filling, then, while ranking, a client, the server,
and a client again. Everything in the record is measured here; nothing is typed by hand. Linux only. The run has a
database of its own, hundred_million, which is dropped when the next run begins. The second command times the server's
own single UPDATE on the table that a run has left, which is the limit, and adds it to the record.
"""

import argparse
import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mysql.connector

from helpers import domains, processes, seed, server
from helpers.bench import machine

DATABASE = "hundred_million"
RECORD = Path(__file__).parents[2] / "data" / "benchmarks" / "hundred_million.json"
POINTS = 400  # at most, in the record; every other one is dropped when there are more, and the interval doubles
KILLS = {"fill": [(0.5, "client")], "rank": [(0.25, "client"), (0.5, "server"), (0.75, "client")]}
NEAR = 100_000  # rows before and after the checkpoint that are looked at after a kill

# What a watched process runs: it says how large it is when all is imported, then does the work
CHILD = """
import sys
import tqdm
from helpers import processes
from helpers.domains.__main__ import main
print(processes.resident(), flush=True)
sys.exit(main(sys.argv[1:]))
"""


class Run:
    """One run and its record."""

    def __init__(self, rows, status):
        self.rows, self.status_file = rows, status
        self.began = time.monotonic()
        self.step = "start"
        self.interval = 1.0
        self.points = []  # (seconds, step, rows done, client MiB above its baseline, server MiB, load average)
        self.events = []
        self.clients = []

    def now(self):
        """Seconds since the run began."""
        return round(time.monotonic() - self.began, 2)

    def say(self, text):
        """Note where the run is, for people and in the status file."""
        line = f"{self.now():9.1f} s  {self.step}: {text}"
        print(line, flush=True)
        if self.status_file:
            with open(self.status_file, "a") as file:
                file.write(line + "\n")

    def event(self, kind, **details):
        """Note something that happened at one moment."""
        self.events.append({"seconds": self.now(), "step": self.step, "what": kind, **details})
        self.say(f"{kind} {details}")

    def sample(self, done, client, server_mib):
        """Note one point, and thin the points out when there are many."""
        self.points.append((self.now(), self.step, done, client, server_mib, machine.busy()))
        if len(self.points) > POINTS:
            del self.points[1::2]
            self.interval *= 2

    # The steps --------------------------------------------------------------------------------------------------------

    def work(self, step, arguments):
        """Run one command to its end, killed on the way as KILLS says, and return its seconds."""
        self.step = step
        began, kills = time.monotonic(), list(KILLS.get(step, []))
        while True:
            status = self._client(step, arguments, kills)
            if status == 0:
                return round(time.monotonic() - began, 2)
            if status != -signal.SIGKILL and not self._expected_error:
                raise RuntimeError(f"{arguments} ended with status {status}: {self._said}")

    def _client(self, step, arguments, kills):
        """Start the command once, watch it, kill when its time has come; return its exit status."""
        self._expected_error = False
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"TQDM_DISABLE": "1"},
        )  # fmt: skip
        with process:
            baseline = float(process.stdout.readline())
            client = {"step": step, "baseline_mib": round(baseline, 1), "peak_mib": 0.0, "status": None}
            self.clients.append(client)
            next_word, next_point, done = time.monotonic() + 30, 0.0, None
            while process.poll() is None:
                high = processes.high_water_mark(process.pid) or 0
                client["peak_mib"] = max(client["peak_mib"], round(high - baseline, 2))
                if time.monotonic() >= next_point:
                    done = self._done(step)
                    if done is not None:
                        next_point = time.monotonic() + self.interval
                        above = round((processes.resident(process.pid) or baseline) - baseline, 2)
                        self.sample(done, above, self._server_mib())
                        if time.monotonic() >= next_word:
                            next_word += 30
                            self.say(f"{done:,} of {self.rows:,} rows; client {client['peak_mib']} MiB at most")
                    if kills and done is not None and done >= kills[0][0] * self.rows:
                        _, victim = kills.pop(0)
                        self._kill(victim, process.pid, step, done)
                time.sleep(0.1)
            self._said = process.stdout.read().strip()
            client["status"] = process.returncode  # -9: killed; 1: an error, as when it lost its server
            said = self._said.splitlines()[-1:]
            self.event("ended", status=process.returncode, said=said, peak_mib=client["peak_mib"])
            return process.returncode

    def _kill(self, victim, client_pid, step, done):
        pid = client_pid if victim == "client" else server_pid()
        os.kill(pid, signal.SIGKILL)
        self._expected_error = victim == "server"
        killed = time.monotonic()
        if victim == "server":
            while self._done(step) is None:  # connecting starts it again, and it recovers
                time.sleep(0.2)
        details = {"rows_seen_before": done, "seconds_until_server_answers": round(time.monotonic() - killed, 2)}
        if step == "rank":
            details |= self._around_checkpoint()
        self.event(f"{victim} killed (-9)", **details)

    # What the server says ---------------------------------------------------------------------------------------------

    def _ask(self, query):
        """Return the first row of a query's result over a connection of its own, or None while the server is away."""
        try:
            connect = contextlib.closing(seed.connect_to_prodev())
            with connect as connection, contextlib.closing(connection.cursor()) as cursor:
                cursor.execute(query)
                return cursor.fetchone()
        except (mysql.connector.Error, server.ServerError):
            return None

    def _done(self, step):
        query = {
            "fill": "SELECT MAX(id) FROM domains",
            "rank": "SELECT last_id FROM domains_checkpoint",
        }.get(step, "SELECT 0")
        row = self._ask(query)
        return None if row is None else row[0] or 0

    def _around_checkpoint(self):
        """After a kill: rows that the checkpoint counts as done and are not, and rows beyond it that are written."""
        connect = contextlib.closing(seed.connect_to_prodev())
        with connect as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")  # one moment for all of it
            cursor.execute("SELECT last_id FROM domains_checkpoint")
            (last_id,) = cursor.fetchone()
            cursor.execute(
                f"SELECT COUNT(*) FROM domains WHERE id BETWEEN %s AND %s AND NOT (alexa_rank <=> {domains.RANK_SQL})",
                (last_id - NEAR, last_id),
            )
            (lost,) = cursor.fetchone()
            cursor.execute(
                "SELECT COUNT(*) FROM domains WHERE id BETWEEN %s AND %s AND alexa_rank IS NOT NULL",
                (last_id + 1, last_id + NEAR),
            )
            (half,) = cursor.fetchone()
        return {"checkpoint": last_id, "lost_before_it": lost, "written_beyond_it": half}

    def _server_mib(self):
        with contextlib.suppress(OSError, ValueError):
            return round(processes.resident(server_pid()) or 0, 1)
        return None


def server_pid():
    """Return the process id of the private server."""
    return int((server.home() / "server.pid").read_text())


def disk_mib():
    """Return what the private server's folder takes on the disk, in MiB."""
    files = [path.lstat() for path in server.home().rglob("*")]
    return round(sum(file.st_blocks for file in files) * 512 / machine.MIB)


def single_update(record):
    """Let the server change the rank of every domain in one statement, one transaction; return what it took (dict)."""
    with contextlib.closing(seed.connect_to_prodev()) as connection, contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("SELECT COUNT(*), COUNT(alexa_rank), SUM(alexa_rank) FROM domains")  # into its cache, what fits
        rows, ranked, _ = cursor.fetchone()
        if rows != record["rows"]:
            raise SystemExit(f"The record is of {record['rows']:,} rows, and the table has {rows:,}: run it first.")
        start = time.monotonic()
        cursor.execute(f"UPDATE domains SET alexa_rank = 1 + {domains.RANK_SQL}")
        changed = cursor.rowcount
        connection.commit()
        seconds = round(time.monotonic() - start, 2)
    ratio = round(seconds / record["seconds"]["rank"], 2)  # of the recorded figures, so that a reader can check it
    print(f"{changed:,} of {ranked:,} ranks changed in {seconds:.0f} s; the job runs at {ratio:.2f} of its speed")
    return {"seconds": seconds, "changed": changed, "ratio_of_the_job": ratio}


def private():
    """Work on the private server, which alone is killed, in the run's own database."""
    os.environ.pop("MYSQL_HOST", None)
    os.environ.pop("MYSQL_UNIX_SOCKET", None)
    os.environ["MYSQL_DATABASE"] = DATABASE


def run(rows, status=None):
    """Do all of it; return the record as a dict."""
    with contextlib.closing(seed.connect_db()) as connection:
        connection.cmd_query(f"DROP DATABASE IF EXISTS {DATABASE}")
        seed.create_database(connection)
    work = Run(rows, status)
    work.say(f"{rows:,} rows; server {server_pid()}")
    record = {
        "rows": rows,
        "command": f"python -m helpers.bench.hundred_million --rows {rows}",
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
    }
    empty = disk_mib()
    server_at_start = processes.resident(server_pid())
    seconds, disk = {}, {}
    for step, arguments in (("fill", ["fill", "--rows", str(rows)]), ("rank", ["rank"]), ("verify", ["verify"])):
        seconds[step] = work.work(step, arguments)
        disk[step] = disk_mib() - empty
        work.say(f"done in {seconds[step]} s; {disk[step]:,} MiB of disk")
    work.step = "count"
    with contextlib.redirect_stdout(sys.stderr):
        found = domains.verify()
    record |= {
        "seconds": seconds,
        "disk_mib_above_empty": disk,
        "server_mib_at_start": server_at_start and round(server_at_start, 1),
        "server_peak_mib": max(point[4] or 0 for point in work.points),
        "clients": work.clients,
        "events": work.events,
        "verified": {
            "rows": found.rows, "missing": found.missing, "wrong_domains": found.wrong_domains,
            "wrong_ranks": found.wrong_ranks, "without_a_rank": found.unranked,
        },
        "columns": ["seconds", "step", "rows_done", "client_mib", "server_mib", "load_average"],  # of each point
        "points": work.points,
    }  # fmt: skip
    work.say(f"{found}")
    return record


def main():
    """Run from a terminal; return the exit status: 1 where a row is not what it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.bench.hundred_million", description="The run that lesson 06 shows."
    )
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--record", default=RECORD, help="where to write the record (%(default)s)")
    parser.add_argument("--status", help="a file to add a line to twice a minute")
    parser.add_argument("--single", action="store_true", help="only add the server's own single UPDATE to the record")
    chosen = parser.parse_args()
    private()
    if chosen.single:
        record = json.loads(Path(chosen.record).read_text())
        record["single_update"] = single_update(record)
        chosen.rows = record["rows"]
    else:
        record = run(chosen.rows, chosen.status)
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    Path(chosen.record).write_text(f"{{\n{lines}\n}}\n")
    right = record["verified"]
    wrong = right["missing"] + right["wrong_domains"] + right["wrong_ranks"]
    return 0 if right["rows"] == chosen.rows and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
