"""What passed between a learner's program and the server: connections, queries, rows."""

import re
from dataclasses import dataclass, field


@dataclass
class Query:
    """A statement that reached the server."""

    text: str
    autocommit: bool  # whether the connection commits by itself
    rows: int = 0  # sent back so far
    error: int | None = None  # the server's error number

    @property
    def bare(self):
        """The text in capitals, on one line, without comments and without what stands in quotes."""
        text = re.sub(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"", "''", self.text, flags=re.DOTALL)
        text = re.sub(r"/\*.*?\*/|--\s[^\n]*|#[^\n]*", " ", text, flags=re.DOTALL)
        return " ".join(text.replace("`", "").split()).upper()

    @property
    def selects(self):
        """Whether it reads the table user_data."""
        return self.bare.startswith(("SELECT", "WITH", "(SELECT", "TABLE")) and "USER_DATA" in self.bare

    @property
    def writes(self):
        """Whether it adds, changes or removes rows."""
        return self.bare.startswith(("INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD"))


@dataclass
class Traffic:
    """What has passed since the last look."""

    connections: int = 0
    queries: list = field(default_factory=list)

    @property
    def rows(self):
        """Rows of all queries that read user_data."""
        return sum(query.rows for query in self.queries if query.selects)

    @property
    def selects(self):
        """The queries that read user_data."""
        return [query for query in self.queries if query.selects]
