"""The gateway: shows the derived topics to browsers, live and from any offset, and answers REST.

It decides nothing about media: it reads the topics that channels name and the projector's tables, and writes
only notifications, accounts and sessions. Any number of gateways run side by side and share no state.

The way of an event, from the log to a browser:

    live.tail          one consumer reads every partition of every channel's topic
    log.framer         a record becomes its event frame, the same bytes for everybody, and what it is about (log.abouts)
    live.streaming     hands both on to the hub and performs what it decides; live.spans: spans for a collector of traces
    core.hub           who gets what next: core.due, core.memory, core.ring, core.replay and beside it core.shelf (what was
                       read for replays; core.columns is what ring and stretch share), core.subscriber, core.standing,
                       core.answers; those who are live, core.audiences; those who are behind, core.serving
                       (core.conflating); what each of them sees, core.view (core.about, core.rights)
    live.sockets       the bytes go to the socket or the transport (live.fast_list), framed (core.framing)

The way of a connection:

    live.doors         all connections, read in turn (core.admission, core.turns), checked in live.slices
    live.door          one guard from accept to close, whatever the protocol (core.life, core.pulse); live.tcp reads the
                       kernel's state of a connection
    live.requests      HTTP, one request at a time, counted as it comes (core.arriving)
    live.sockets       frames, within a budget (core.frame_budget)

The way of a socket:

    live.handshake     whose page (origins), which token (access.authority, core.limits); access.refusal_log
    live.connections   admitted, read, swept, closed; live.connection is one of them
    live.resumption    where a session resumes whose clients keep no position (core.inheritance)
    live.subscribing   `subscribe`: from where (core.starts, log.finding: core.resolve), how (core.options)
    log.reader         reads what has left memory, for clients that are behind; log.compiled: log.framer in C
                       where log.compiling found a compiler

The way of a request:

    rest.edge          request id, headers, errors in one shape; the client's address (access.proxies); rest.declared:
                       nothing undeclared; rest.body: small, JSON, nothing unknown in it; rest.page: the page's files;
                       rest.described: which errors a route may return, for the OpenAPI document; rest.asyncapi: the
                       document of sockets and topics
    rest.access        who the caller is (access.authority: access.tokens, access.tickets, once each by access.once; what
                       changed since they were issued, access.following: access.ended_sessions, access.current_rights,
                       access.service_tokens), what they may do (access.roles) and see (core.rights)
    rest.accounts      access.account_admin (access.account_rules, access.account_rights), access.sessions,
                       access.machine_tokens, on the database by access.connecting; access.audit, log.auditing
    rest.auth          access.signing_in (access.sign_in_limits, access.sign_in_queue), access.sign_in_log,
                       access.accounts, access.refresh_tokens
    rest.oidc          signing in with a provider: access.oidc
    rest.media         tables.catalogue; access.cover_names
    tables.searching   a search, step by step: its parameters (tables.wanted), its query as words (tables.terms), both as SQL
                       (tables.conditions), orders and cursors (tables.order), the statements (tables.pages)
                       of what the caller may see (tables.sight)
    rest.history       tables.history; a change as the caller may see it, core.changes_seen
    rest.replay        changes of a range of the log, sent to the caller alone: log.changes
    rest.channels      a channel's past in pages (log.pages: core.page), and as it comes (live.event_stream): a subscriber
                       framed by core.event_stream, counted and closed as sockets are (live.connections)
    rest.timeline      when a channel was written: log.densities (core.density, log.briefly)
    rest.scans         scan requests, rest.retiring the end of a root: log.publishing
    rest.audit         log.audit_pages
    rest.dead_letters  log.dead_letters: `runtime.dlq`; log.open_letters counts those that nobody has handled
    rest.topics        log.topics
    rest.analysis      analyses on request: which rows they concern (tables.analysing), log.publishing
    rest.correcting    a person's corrections: log.publishing
    rest.system        health (tables.database, tables.connecting, live.tail), channels, lag; notifications (log.publishing)

`app` puts them together, `main` runs them, as all of the gateway or as one of its `workers`, on `ports`; `errors` is the
tree, `settings` and `metrics` are tables, `public` has its address for browsers.
"""
