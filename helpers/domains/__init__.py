"""The 100-million-domain job of lesson 06, as a program: fill a table of domains, and write each one's rank beside it.

    python -m helpers.domains fill --rows 1000000   add made-up domains until the table has row number 1,000,000
    python -m helpers.domains rank                  give every domain its rank; stopped, it goes on where it was
    python -m helpers.domains status                how large the table is, and how far the ranking is
    python -m helpers.domains verify                let the server compare every row with what it should be

Memory stays flat however long the table is: a batch is read by key over one connection, its ranks are looked up, and
one statement over a second connection writes them. The batch's last id goes into a checkpoint row in the same
transaction, so a job that is killed at any moment has done whole batches, and knows which. While the server writes one
batch, the next is read and looked up. How many rows a batch has follows from how long the last ones took, as in the
tools that change tables under traffic: pt-online-schema-change (https://docs.percona.com/percona-toolkit/), gh-ost
(https://github.com/github/gh-ost).

Read it in this order: ranking.py (the job), rows.py (one batch), batches.py (what makes it fast and safe), ranks.py and
lists.py (where ranks come from), unmatched.py (a list that matches nothing), tables.py, filling.py, status.py.
"""

from helpers.domains.batches import TARGET_SECONDS, BatchSizer, defer_interrupt
from helpers.domains.filling import DOMAIN_SQL, Filling, fill, synthetic_domain, synthetic_domains
from helpers.domains.lists import LARGEST_RANK, read_ranks
from helpers.domains.ranking import Ranking, update_ranks
from helpers.domains.ranks import RANK_SQL, TrancoRanks, synthetic_ranks
from helpers.domains.status import Verification, status, verify
from helpers.domains.tables import TABLES, connected, create_tables, schema_matches, working_alone
from helpers.prefetch import prefetch

__all__ = [
    "DOMAIN_SQL", "LARGEST_RANK", "RANK_SQL", "TABLES", "TARGET_SECONDS", "BatchSizer", "Filling", "Ranking",
    "TrancoRanks", "Verification", "connected", "create_tables", "defer_interrupt", "fill",
    "prefetch", "read_ranks", "schema_matches", "status", "synthetic_domain", "synthetic_domains", "synthetic_ranks",
    "update_ranks", "verify", "working_alone",
]  # fmt: skip
