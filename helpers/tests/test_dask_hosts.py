"""Lesson 07 on two hosts, made with network namespaces (make torture)."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings

import pytest
from places import PATIENCE, ROOT, SECRET, answer, wait_until

from helpers import notebooks, server
from helpers.users import synthetic_users

lesson = notebooks.exported("07")
HOSTS = {"a": "10.117.0.1", "b": "10.117.0.2"}
ON_TWO_HOSTS = """
import json, sys
from helpers import databases, notebooks
lesson = notebooks.exported("07")
with databases.at_scale(20_000):
    client = lesson.connect()
    client.wait_for_workers(3, timeout=60)
    ranges, task = list(lesson.cut_users(8)), (lesson.at, lesson.here(), lesson.summary_of_range)
    def on(hosts, ranges):
        jobs = [client.submit(*task, *r, workers=hosts, pure=False) for r in ranges]
        *_, whole = lesson.merged(client.gather(jobs))
        return whole
    halves = [on([host], ranges[n::2]) for n, host in enumerate("ab")]
    forgetful = client.submit(*task, "0", "g", workers=["forgetful"], pure=False)
    told = {
        "one process": lesson.summary(lesson.stream_user_ages()),
        "both hosts": on(["a", "b"], ranges),
        "halves": lesson.merge(*halves),
        "counts": [count for count, _, _ in halves],
        "at": sorted(worker["host"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()),
        "error": str(forgetful.exception()),
    }
    print(json.dumps(told))
    client.close()
"""


ON_TWO_SHARDS = """
import functools, json, os, sys
from contextlib import closing
from unittest import mock
from helpers import databases, domains, notebooks, seed
from helpers.users import synthetic_users
lesson = notebooks.exported("07")
one, two = (
    {"name": name, "variables": {"MYSQL_HOST": host, "MYSQL_DATABASE": "shard"}} for name, host in HOSTS.items()
)
users = list(synthetic_users(4_000))
below, above = [u for u in users if u[0] < "8"], [u for u in users if u[0] >= "8"]
for shard, half, others in ((one, below, "> 450"), (two, above, "<= 450")):
    with mock.patch.dict(os.environ, shard["variables"]):
        with closing(seed.connect_db()) as connection:
            seed.create_database(connection)
        databases.ask(seed.TABLE)
        with closing(seed.connect_to_prodev()) as connection:
            seed.insert_data(connection, half)
        domains.fill(900)
        databases.ask("DELETE FROM domains WHERE id " + others)
client = lesson.connect()
client.wait_for_workers(2, timeout=60)
ranges = list(zip("02468ace", "2468aceg"))
def told():
    try:
        return lesson.summary_of_shards(client, ranges, [("0", "8", one), ("8", "g", two)])
    except RuntimeError as error:
        return str(error)
print(json.dumps(told()), flush=True)
ids_map = [(1, 451, one), (451, 901, two)]
job, by_id = functools.partial(lesson.on_shard, lesson.rank_range), lesson.by_shard(lesson.cut(1, 901, 4), ids_map)
print(sum(part.all_rows for part in lesson.answers(client, job, by_id, 4)), flush=True)
for _ in sys.stdin:
    print(json.dumps(told()), flush=True)
client.close()
"""


@pytest.fixture
def hosts():
    """Give a function that starts a process on host a or b; without the right to make hosts, skip and say why."""
    why = None
    if sys.platform != "linux":
        why = "network namespaces are Linux's"
    elif os.geteuid():
        why = "only root makes network namespaces"
    elif not shutil.which("ip"):
        why = "the program ip is missing (Debian/Ubuntu: apt-get install iproute2)"
    names = {host: f"gc{os.getpid()}{host}" for host in HOSTS}
    running = []

    def ip(*words):
        return subprocess.run(["ip", *words], capture_output=True, text=True)

    def start(host, *command, **environment):
        usual = {k: v for k, v in os.environ.items() if not k.startswith("MYSQL_")}
        command = ["ip", "netns", "exec", names[host], *map(str, command)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, cwd=ROOT, env={**usual, **environment}, **pipes))
        return running[-1]

    try:
        for name in names.values():
            made = ip("netns", "add", name) if not why else None
            why = why or made.stderr.strip()
        if not why:
            a, b = names.values()
            why = ip("link", "add", a, "netns", a, "type", "veth", "peer", "name", b, "netns", b).stderr.strip()
        if why:
            warnings.warn(f"no two hosts here: {why}", stacklevel=1)
            pytest.skip(why)
        for host, name in names.items():
            for words in (("addr", "add", f"{HOSTS[host]}/24", "dev", name), ("link", "set", name, "up"),
                          ("link", "set", "lo", "up")):  # fmt: skip
                assert ip("-n", name, *words).returncode == 0
        yield start
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            with process:
                process.communicate(timeout=PATIENCE)
        for name in names.values():
            ip("netns", "del", name)


def serve(hosts, host, data, folder):
    """Start a server on a host that lets ada in; return its process."""
    account = folder / "account.sql"
    account.write_text(f"CREATE USER 'ada'@'%' IDENTIFIED BY '{SECRET}';\nGRANT ALL ON *.* TO 'ada'@'%';\n")
    return hosts(
        host, server.find_program(), "--no-defaults", "--user=root", f"--datadir={data}",
        f"--socket={folder / f's{host}'}", f"--pid-file={folder / f'pid{host}'}", f"--bind-address={HOSTS[host]}",
        "--port=3306", "--skip-log-bin", "--skip-name-resolve", "--secure-file-priv=", f"--init-file={account}",
        *([] if "mariadb" in data.name else ["--mysqlx=OFF"]),
    )  # fmt: skip


def schedule(hosts):
    """Start Dask's scheduler on host a."""
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", HOSTS["a"], "--port", "8786"]
    hosts("a", *dask, "--no-dashboard")


def work(hosts, host, name, folder, **environment):
    """Start a worker on a host."""
    dask = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://{HOSTS['a']}:8786", "--nthreads", "1"]
    hosts(host, *dask, "--name", name, "--no-dashboard", "--local-directory", folder / name, **environment)


def reaches(hosts, host, database, reached):
    """Tell whether the server, a process that lives, is reached from a host."""
    ask = "import os; from helpers import seed; seed.connect_db().close()"
    asking = hosts(host, sys.executable, "-c", ask, **reached, MYSQL_PASSWORD=SECRET)
    assert database.poll() is None, database.stderr.read()
    return asking.wait(PATIENCE) == 0


@pytest.mark.torture
def test_two_hosts_give_the_answer_of_one(warm, hosts, tmp_path):
    """Scheduler and server on one host, a worker on each; a third worker has no password, and says so."""
    database = serve(hosts, "a", warm.data(), tmp_path)
    reached = {"MYSQL_HOST": HOSTS["a"], "MYSQL_USER": "ada"}
    schedule(hosts)
    workers = [("a", "a", SECRET), ("b", "b", SECRET), ("b", "forgetful", "")]
    for host, name, password in workers:
        work(hosts, host, name, tmp_path, **reached, MYSQL_PASSWORD=password)
    wait_until(lambda: reaches(hosts, "b", database, reached), "the server is not reached from the other host")
    scheduler = {"DASK_SCHEDULER_ADDRESS": f"tcp://{HOSTS['a']}:8786"}
    asking = hosts("a", sys.executable, "-c", ON_TWO_HOSTS, **reached, **scheduler, MYSQL_PASSWORD=SECRET)
    said, error = asking.communicate(timeout=PATIENCE)
    assert asking.returncode == 0, error
    told = json.loads(said)
    expected = list(lesson.summary(age for *_, age in synthetic_users(20_000)))
    for how in ("one process", "both hosts", "halves"):
        assert told[how] == pytest.approx(expected, rel=1e-12), how
    assert min(told["counts"]) > 8_000, "a host had nothing to do"
    assert told["at"] == [HOSTS["a"], HOSTS["b"], HOSTS["b"]]
    assert "no MYSQL_PASSWORD. Set it where the worker is started" in told["error"] and SECRET not in told["error"]


@pytest.mark.torture
def test_two_shards_on_two_hosts_give_the_answer_of_one_and_one_that_is_down_is_named(warm, hosts, tmp_path, tally):
    """A server and a worker on each host. Then the second server is killed."""
    shutil.copytree(warm.data(), tmp_path / warm.data().name)
    databases = {"a": serve(hosts, "a", warm.data(), tmp_path),
                 "b": serve(hosts, "b", tmp_path / warm.data().name, tmp_path)}  # fmt: skip
    schedule(hosts)
    for host in HOSTS:
        reached = {"MYSQL_HOST": HOSTS[host], "MYSQL_USER": "ada"}
        work(hosts, host, host, tmp_path, **reached, MYSQL_PASSWORD=SECRET)
        other = "ab".replace(host, "")
        wait_until(lambda: reaches(hosts, other, databases[host], reached), "not reached")  # noqa: B023 (called here)
    scheduler = {"DASK_SCHEDULER_ADDRESS": f"tcp://{HOSTS['a']}:8786"}
    code = f"HOSTS = {HOSTS}\n" + ON_TWO_SHARDS
    asking = hosts("a", sys.executable, "-c", code, MYSQL_HOST=HOSTS["a"], MYSQL_USER="ada", MYSQL_PASSWORD=SECRET,
                   **scheduler)  # fmt: skip
    with tally("users and domains on two shards, on two hosts") as row, row.one_try(raises=True):
        expected = lesson.summary(age for *_, age in synthetic_users(4_000))
        assert answer(asking) == pytest.approx(list(expected), rel=1e-12)
        assert answer(asking) == 900
    with tally("a shard that is down is an error that names it") as row:
        databases["b"].kill()
        databases["b"].wait()
        for _ in range(3):
            with row.one_try():
                told = answer(asking, "again")
                assert re.match(r"shard b, range \[[8ace], ", told) and HOSTS["b"] in told and SECRET not in told
    asking.communicate(timeout=PATIENCE)  # closes its input, which ends it
    assert asking.returncode == 0
