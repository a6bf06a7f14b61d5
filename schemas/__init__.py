"""Every contract that crosses a process boundary.

What may be said on the log, on a socket, in the database and in a cursor is declared here and nowhere else:
records (`raw`, `changes`, `media`, `analysis`, `system`, `admin`), where they live (`topics`, `channels`,
`lanes`), how they are written (`codec`, `headers`, `paths`, `times`, `ids`), when two files are the same
(`identity`), how browsers see them (`envelope`, `close_codes`, `cursor`) and how PostgreSQL keeps them (`sql/`). It
imports nothing of ours and knows no library client: a contract does not depend on who speaks it.
"""
