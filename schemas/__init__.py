"""Every contract that crosses a process boundary.

The contents of the log, of socket messages, of the database and of cursors are declared here and nowhere else:
records (`raw`, `changes`, `media`, `analysis`, `system`, `admin`), where they live (`topics`, `channels`,
`lanes`), how they are written (`codec`, `headers`, `paths`, `times`, `ids`), when two files are the same file
(`identity`), who may use them (`acls`), how browsers see them (`envelope`, `close_codes`, `cursor`) and how PostgreSQL
keeps them (`sql/`). It imports nothing of ours and knows no client library: a contract does not depend on who uses it.
"""

__version__ = "0.1.0"
"""The product's version; the one place where it is written."""
