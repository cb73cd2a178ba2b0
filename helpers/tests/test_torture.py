"""What takes too long for `make test`: many kernels, full disks, and the whole suite again and again (make torture)."""

import contextlib
import errno
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import jupyter_client
import nbclient
import nbformat
import pytest
from places import PEOPLE, ROOT, SECRET, Caller, Place, is_one_clear_error, wait_until

from helpers import notebooks

pytestmark = [pytest.mark.torture, pytest.mark.timeout(6 * 3600)]

# Many kernels ---------------------------------------------------------------------------------------------------------

LOST = "Lost connection|gone away|not available|the private server|ended while it started"  # what a killed server gives


def lesson_until_it_ends(place, path, running):
    """Run a lesson from top to bottom, again and again until nothing has come in between; return how often."""
    for attempt in range(1, 100):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            cell.metadata.tags = [t for t in cell.metadata.get("tags", []) if t == "raises-exception"]
        manager = jupyter_client.AsyncKernelManager(kernel_name="python3")
        client = nbclient.NotebookClient(
            notebook, km=manager, startup_timeout=3600, timeout=3600, resources={"metadata": {"path": path.parent}}
        )
        running.append(manager)
        try:
            client.execute(env=place.environment, cleanup_kc=True)  # as closing the notebook does: the kernel ends
            return attempt
        except RuntimeError as error:
            assert "died" in str(error), error
        except nbclient.exceptions.CellExecutionError as error:
            assert re.search(LOST, str(error)), error
        finally:
            running.remove(manager)
    raise AssertionError("the lesson never ends")


def server_trees(place):
    """Return the servers of a place, each without its children: mariadb-install-db is a script that has some."""
    servers = place.servers()
    pids = {process.pid for process in servers}
    return [process for process in servers if process.info["ppid"] not in pids]


def test_eight_kernels_run_a_lesson_on_a_cold_start_while_kernels_and_the_server_are_killed(tmp_path, tally):
    path = notebooks.find("01")
    moments = random.Random(2)
    with tally("8 kernels run lesson 01, cold; 8 kernels and 3 servers killed (-9)") as row:
        for number in range(3):
            place = Place(tmp_path / f"server{number}")
            running = []
            with row.one_try(), contextlib.closing(place), ThreadPoolExecutor(8) as learners:
                lessons = [learners.submit(lesson_until_it_ends, place, path, running) for _ in range(8)]
                for victim in moments.sample(["kernel"] * 8 + ["server"] * 3, 11):
                    time.sleep(moments.uniform(1, 8))
                    if victim == "server":
                        place.kill(place.servers())
                    elif alive := [m for m in list(running) if m.provisioner and m.provisioner.pid]:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(moments.choice(alive).provisioner.pid, signal.SIGKILL)
                    assert len(server_trees(place)) <= 1, "one that makes the data folder, or one that serves"
                attempts = [lesson.result() for lesson in lessons]
                assert place.run(PEOPLE) == "1000"
                wait_until(place.gone, f"no kernel is left and the server runs (lessons took {attempts} attempts)")


# A full disk ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder, mib):
    """Mount a file system of so many MiB in the memory; give a function that changes its size. Linux, as root."""
    folder.mkdir()

    def mount(*options):
        subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True)

    mount("-o", f"size={mib}m")
    try:
        yield lambda mib: mount("-o", f"remount,size={mib}m")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(folder, leave_mib):
    """Fill a disk with a file, but for so much; return the file's path. OSError: others take space 100 times over."""
    with open(folder / "filler", "wb") as file:
        for tries_left in reversed(range(100)):  # a server that has just written takes more space in these moments
            try:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - leave_mib * 2**20)
                return folder / "filler"
            except OSError as error:
                if error.errno != errno.ENOSPC or not tries_left:
                    raise


def test_full_disk(tmp_path, tally):
    with tally("disk too small to start, then larger") as row:
        for number in range(5):
            folder = tmp_path / f"small{number}"
            with (
                row.one_try(),
                small_disk(folder, 100) as resize,
                contextlib.closing(Place(folder / "server")) as place,
            ):
                caller = Caller(place)
                is_one_clear_error(caller(), r"needs 300 MiB of disk .* has \d+ MiB left\. Free some", timed=True)
                resize(1000)
                assert caller()["rows"] == 1000
    with tally("disk full while seeding, then freed") as row:
        for number in range(5):
            folder = tmp_path / f"seeding{number}"
            with row.one_try(), small_disk(folder, 700), contextlib.closing(Place(folder / "server")) as place:
                caller = Caller(place)
                assert caller()["rows"] == 1000
                filler = fill_up(folder, leave_mib=20)
                told = caller(ROWS="300000")
                is_one_clear_error(
                    told, "the private server: .*full.*Free some space and run the cell again", timed=False
                )
                filler.unlink()
                assert caller(ROWS="300000")["rows"] == 300_000
    with tally("disk full at the start, then freed") as row:
        for number in range(5):
            folder = tmp_path / f"start{number}"
            with row.one_try(), small_disk(folder, 700), contextlib.closing(Place(folder / "server")) as place:
                caller = Caller(place)
                assert caller()["rows"] == 1000
                place.kill(place.servers())
                wait_until(place.gone, "kill -9 and it still runs")
                filler = fill_up(folder, leave_mib=0)
                told = caller()
                assert "error" not in told or is_one_clear_error(told, "(?s)server", timed=True) is None
                filler.unlink()
                assert caller()["rows"] == 1000


# The whole suite ------------------------------------------------------------------------------------------------------

SUITE = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--nbval", "notebooks", "helpers"]


def suite(environment):
    """Run all that `make test` runs; return pytest's closing line, and fail with the names of what failed."""
    done = subprocess.run(SUITE, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    failed = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.M)
    closing = done.stdout.rstrip().rpartition("\n")[2]
    assert done.returncode == 0, "\n".join([closing, *failed])
    return closing


def test_suite_passes_as_a_user_with_rights_on_the_courses_databases_alone(warm, tally):
    """Whatever touches more than that on a server of somebody else's ends with an error here."""
    warm.use()
    with warm.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE USER course@localhost IDENTIFIED BY '{SECRET}'")
        cursor.execute(r"GRANT ALL ON `course\_test%`.* TO course@localhost")
    path = (warm.folder / "socket").read_text()
    somebodys = {"MYSQL_UNIX_SOCKET": path, "MYSQL_USER": "course", "MYSQL_PASSWORD": SECRET}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MYSQL_", "COURSE_DATABASE"))}
    with tally("the whole suite as a user with few rights") as row, row.one_try():
        suite(environment | somebodys)


@pytest.mark.parametrize("loaded", [False, True], ids=["alone", "loaded"])
def test_suite_passes_again_and_again(tally, capsys, loaded):
    tries = int(os.environ.get("SUITES", "20"))
    with tally(f"the whole suite{', the processors loaded' if loaded else ''}") as row, contextlib.ExitStack() as load:
        for _ in range(2 * loaded):
            busy = load.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            load.callback(busy.kill)
        for number in range(tries):
            with row.one_try():
                closing = suite(os.environ)
                with capsys.disabled():
                    print(f"\n{number + 1} of {tries}: {closing}", end="", flush=True)
