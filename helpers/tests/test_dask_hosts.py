"""Lesson 07 on two hosts, made with network namespaces (make torture)."""

import json
import os
import shutil
import subprocess
import sys
import warnings

import pytest
from places import PATIENCE, ROOT, SECRET, wait_until

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
    ranges = lesson.cut_users(8)
    halves = [lesson.run_on(client, [host], lesson.summary_of_range, ranges[n::2])[0] for n, host in enumerate("ab")]
    forgetful = client.submit(lesson.summary_of_range, lesson.here(), "0", "g", workers=["forgetful"], pure=False)
    told = {
        "one process": lesson.summary(lesson.stream_user_ages()),
        "both hosts": lesson.run_on(client, ["a", "b"], lesson.summary_of_range, ranges)[0],
        "halves": lesson.merge(*halves),
        "counts": [count for count, _, _ in halves],
        "at": sorted(worker["host"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()),
        "error": str(forgetful.exception()),
    }
    print(json.dumps(told))
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
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
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


@pytest.mark.torture
def test_two_hosts_give_the_answer_of_one(warm, hosts, tmp_path):
    """Scheduler and server on one host, a worker on each; a third worker has no password, and says so."""
    account = tmp_path / "account.sql"
    account.write_text(f"CREATE USER 'ada'@'%' IDENTIFIED BY '{SECRET}';\nGRANT ALL ON *.* TO 'ada'@'%';\n")
    database = hosts(
        "a", server.find_program(), "--no-defaults", "--user=root", f"--datadir={warm.data()}",
        f"--socket={tmp_path / 's'}", f"--pid-file={tmp_path / 'pid'}", f"--bind-address={HOSTS['a']}", "--port=3306",
        "--skip-log-bin", "--skip-name-resolve", "--secure-file-priv=", f"--init-file={account}",
        *([] if "mariadb" in warm.data().name else ["--mysqlx=OFF"]),
    )  # fmt: skip
    reached = {"MYSQL_HOST": HOSTS["a"], "MYSQL_USER": "ada"}
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", HOSTS["a"], "--port", "8786"]
    hosts("a", *dask, "--no-dashboard")
    workers = [("a", "a", SECRET), ("b", "b", SECRET), ("b", "forgetful", "")]
    for host, name, password in workers:
        work = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://{HOSTS['a']}:8786", "--nthreads", "1"]
        hosts(host, *work, "--name", name, "--no-dashboard", "--local-directory", tmp_path / name,
              **reached, MYSQL_PASSWORD=password)  # fmt: skip

    def ready():
        ask = "import os; from helpers import seed; seed.connect_db().close()"
        asking = hosts("b", sys.executable, "-c", ask, **reached, MYSQL_PASSWORD=SECRET)
        assert database.poll() is None, database.stderr.read()
        return asking.wait(PATIENCE) == 0

    wait_until(ready, "the server is not reached from the other host")
    scheduler = {"DASK_SCHEDULER_ADDRESS": f"tcp://{HOSTS['a']}:8786"}
    asking = hosts("a", sys.executable, "-c", ON_TWO_HOSTS, **reached, **scheduler, MYSQL_PASSWORD=SECRET)
    said, error = asking.communicate(timeout=PATIENCE)
    assert asking.returncode == 0, error
    told = json.loads(said)
    expected = list(lesson.summary(age for *_, age in synthetic_users(20_000)))
    assert told["one process"] == told["both hosts"] == told["halves"] == expected
    assert min(told["counts"]) > 8_000, "a host had nothing to do"
    assert told["at"] == [HOSTS["a"], HOSTS["b"], HOSTS["b"]]
    assert "no MYSQL_PASSWORD. Set it where the worker is started" in told["error"] and SECRET not in told["error"]
