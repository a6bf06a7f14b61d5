"""Receives on very many sockets and records when each of their frames arrived, at less cost than what is measured. Pings
are answered, as browsers do.

A thousand sockets that get a hundred events a second are 100,000 frames a second: Python would measure itself.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Sequence

from bench.c_code import compiled

_SOURCE = r"""
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 1, PING = 9, SMALL = 125, LARGEST_HEAD = 10, BUFFER = 1 << 16, READY = 256 };

struct peer {
    unsigned char head[LARGEST_HEAD];
    int of_head;                /* bytes of the head that are here */
    int in_body;
    unsigned long long left;    /* bytes of the body still to come */
    long texts;
    int of_ping;
    unsigned char ping[SMALL];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int head_size(const struct peer *p)
{
    int length = p->of_head < 2 ? 0 : p->head[1] & 127;
    return length == 127 ? 10 : length == 126 ? 4 : 2;
}

static void pong(int socket, const struct peer *p)
{
    unsigned char frame[6 + SMALL] = { 0x8a, 0x80 | p->of_ping };   /* masked with zeros */
    for (int i = 0; i < p->of_ping; i++)
        frame[6 + i] = p->ping[i];
    send(socket, frame, 6 + p->of_ping, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One text frame more where a frame has ended with it. */
static int ended(int socket, struct peer *p)
{
    int kind = p->head[0] & 15;
    if (kind == PING)
        pong(socket, p);
    p->of_head = p->in_body = p->of_ping = 0;
    return kind == TEXT;
}

static void take(int socket, struct peer *p, const unsigned char *at, long size, double when, double *arrivals, long events)
{
    while (size > 0) {
        int text = 0;
        if (!p->in_body) {
            p->head[p->of_head++] = *at++;
            size--;
            if (p->of_head < head_size(p))
                continue;
            p->left = p->of_head == 2 ? p->head[1] & 127 : 0;
            for (int i = 2; i < p->of_head; i++)
                p->left = p->left << 8 | p->head[i];
            p->in_body = 1;
            if (!p->left)
                text = ended(socket, p);
        } else {
            long part = (unsigned long long) size < p->left ? size : (long) p->left;
            if ((p->head[0] & 15) == PING)
                for (long i = 0; i < part && p->of_ping < SMALL; i++)
                    p->ping[p->of_ping++] = at[i];
            at += part;
            size -= part;
            p->left -= part;
            if (!p->left)
                text = ended(socket, p);
        }
        if (text && p->texts < events && arrivals)
            arrivals[p->texts++] = when;
    }
}

/* Reads `all` sockets, and notes the frames of `count` of them from the one numbered `first` on. */
long record(
    const int *sockets, long all, long first, long count, long events, double seconds, double *arrivals)
{
    static unsigned char buffer[BUFFER];
    struct peer *peers = calloc(all, sizeof *peers);
    struct epoll_event ready[READY];
    int poll = epoll_create1(0);
    long whole = 0;
    double end = now() + seconds;
    for (long i = 0; i < all; i++) {
        struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = i };
        epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i], &wanted);
    }
    while (whole < count && now() < end) {
        int n = epoll_wait(poll, ready, READY, 100);
        for (int k = 0; k < n; k++) {
            long i = ready[k].data.u64;
            long before = peers[i].texts;
            long got = recv(sockets[i], buffer, BUFFER, MSG_DONTWAIT);
            if (got <= 0)
                epoll_ctl(poll, EPOLL_CTL_DEL, sockets[i], 0);
            else
                take(sockets[i], &peers[i], buffer, got, now(),
                     i >= first && i < first + count ? arrivals + (i - first) * events : 0, events);
            whole += before < events && peers[i].texts == events;
        }
    }
    close(poll);
    free(peers);
    return whole;
}
"""

Record = Callable[[Sequence[int], int, float], "array[float]"]
"""Reads all sockets until each of the given ones, which are consecutive, has received so many text frames, for so many
seconds at most; returns when they came, socket after socket, in monotonic seconds. Raises TimeoutError."""


def recorder() -> Callable[[Sequence[int]], Record]:
    """For the given descriptors, each of which is between two frames of a server."""
    function = compiled(_SOURCE).record
    function.restype = ctypes.c_long
    function.argtypes = [
        ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_double, ctypes.c_void_p,
    ]  # fmt: skip

    def over(descriptors: Sequence[int]) -> Record:
        own = array("i", descriptors)

        def record(wanted: Sequence[int], events: int, seconds: float) -> array[float]:
            arrivals = array("d", bytes(8 * len(wanted) * events))
            first = own.index(wanted[0])
            place, into = own.buffer_info()[0], arrivals.buffer_info()[0]
            whole = function(place, len(own), first, len(wanted), events, seconds, into)
            if whole < len(wanted):
                raise TimeoutError(f"{len(wanted) - whole} of {len(wanted)} sockets did not get {events} events")
            return arrivals

        return record

    return over
