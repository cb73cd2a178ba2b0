"""The small library behind the notebooks.

The driver is loaded first, whatever a notebook imports from here. Its C extension shares OpenSSL with Python's own ssl
module, and needs a kind of memory (static thread-local storage) that other packages use up: after matplotlib or pandas
it fails to load on Debian 12, silently, and reads are about 7 times slower.
"""

import ssl  # noqa: F401

import mysql.connector  # noqa: F401
