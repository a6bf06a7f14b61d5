"""`catalogizer up`: the whole platform on one machine, under one supervisor, with one log.

Where the settings name no Kafka or PostgreSQL, embedded ones are started; they are the real servers, and clients
connect to them as to any other. Every process started here ends with the supervisor, even if that is killed.

`command` one run, from its preparation to its end · `platform` what the settings mean for it · `embedded` the servers ·
`supervision` what keeps processes alive · `demo` the library to try it with · `first_admin` the account `admin`.

Of the state folder: `state` its owner and its paths · `run_file` where everything is · `secret_file` secrets · `ports`.
Towards people: `telling` progress · `announcement` where to look · `terminal` Ctrl-C · `errors`. Of this machine: `network`
certificates · `space` room on the disk.
"""
