"""Say on what a benchmark ran: what else a figure depends on."""

import contextlib
import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

import psutil

from helpers import seed

MIB = 2**20


def describe(*packages):
    """Return what a record should say beside its figures, as a dict of str to str or number.

    Parameters
    ----------
    *packages : str
        Further Python packages whose versions matter; those that are not installed are left out.
    """
    versions = {}
    for package in ("mysql-connector-python", *packages):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": versions,
        **_server(),
    }


def _processor():
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def _server():
    with contextlib.closing(seed.connect_db()) as connection, contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(
            "SELECT VERSION(), @@version_comment, @@innodb_buffer_pool_size, @@innodb_flush_log_at_trx_commit"
        )
        version, comment, pool, flush = cursor.fetchone()
    kind = "MariaDB" if "mariadb" in f"{version} {comment}".lower() else "MySQL"
    return {
        "server": f"{kind} {re.match(r'[0-9.]+', version)[0]}",
        "buffer_pool_mib": round(pool / MIB),
        "flush_log_at_commit": int(flush),
    }


def busy():
    """Return how many processes wanted to run in the last minute (the load average), to tell of other work."""
    return round(os.getloadavg()[0], 2) if sys.platform != "win32" else None
