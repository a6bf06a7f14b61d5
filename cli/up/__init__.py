"""`catalogizer up`: the whole platform on one machine, under one supervisor, with one log.

Where the settings name no Kafka or PostgreSQL, embedded ones are started; they are the real servers, and clients
connect to them as to any other. Every process started here ends with the supervisor, even if that is killed.

`command` one run, from its preparation to its end · `platform` the settings of each process · `embedded` the servers ·
`supervision` keeps processes running · `demo` a library to try it with · `first_admin` the account `admin`.

State folder: `state` its lock and its paths · `state_version` which program used it · `run_file` addresses and process
ids · `secret_file` secrets · `ports`.
User interface: `output` progress · `announcement` where to look · `terminal` Ctrl-C · `errors`. Machine: `network`
certificates · `space` free disk space.
"""
