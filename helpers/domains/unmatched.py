"""Stop a rank source that knows none of the table's domains before it writes NULL over good ranks."""

import contextlib
import re

from helpers.domains.tables import largest_id

PROBES, PROBE_ROWS = 50, 1_000  # places of the table that are looked at, and rows at each
FEW = 10  # domains without a rank are no sign of a fault, where no rank would be lost
HINTS = 100  # domains of each place that are tried in another form
FORMS = {
    "without www. in front": lambda domain: domain.removeprefix("www."),
    "with www. in front": "www.{}".format,
    "without http:// and what follows the host": lambda domain: re.sub(r"^https?://|[/:].*", "", domain),
}


def stop_unmatched(batches, cursor, source):
    """Yield the batches of a generator on; if the first one has no rank at all, look all over the table before that.

    Raises
    ------
    ValueError
        The source has no rank for any domain looked at: says which they are, and what the source has instead.
    """
    with contextlib.closing(batches):
        for batch in batches:
            if batch.unranked == len(batch.ids):
                _look_all_over(cursor, source)
            yield batch
            yield from batches


def _look_all_over(cursor, source):
    """Raise ValueError unless `source` has a rank for one of up to 50,000 domains from all over the table."""
    largest = largest_id(cursor)
    step = max(PROBE_ROWS, -(-largest // PROBES))
    tried, some, ranked = 0, [], 0
    for start in range(1, largest + 1, step):
        cursor.execute(
            "SELECT domain, alexa_rank FROM domains WHERE id >= %s AND id < %s ORDER BY id LIMIT %s",
            (start, start + step, PROBE_ROWS),
        )
        rows = cursor.fetchall()
        names = [name for name, _ in rows]
        if names and any(rank is not None for rank in source(names)):
            return
        tried += len(names)
        some += names[:HINTS]
        ranked += sum(rank is not None for _, rank in rows)
    if ranked or tried >= FEW:
        raise ValueError(_said(source, tried, some))


def _said(source, tried, some):
    """Say what was compared with what, and what would match."""
    name = getattr(source, "job", None) or source.__name__
    has = ", ".join(source.examples()) if hasattr(source, "examples") else ""
    text = (
        f"None of {tried:,} domains from all over the table ({', '.join(some[:3])}, …) has a rank in {name!r}"
        f"{f' ({has}, …)' if has else ''}. Nothing was written, and the ranks in the table stay as they are."
    )
    for form, change in FORMS.items():
        changed = {domain: change(domain) for domain in some}
        others = [new for old, new in changed.items() if new != old]
        found = sum(rank is not None for rank in source(others)) if others else 0
        if found:
            text += (
                f" {found:,} of {len(some):,} would match {form}: those are other names. Change the table or the list."
            )
    return text + (
        " To write NULL for domains without a rank all the same: --allow-unmatched, or update_ranks(…, "
        "allow_unmatched=True)."
    )
