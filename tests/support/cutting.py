"""A process that is cut off from the network on a signal: its connections end and it gets no new ones."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

import aiokafka.client
import psutil

CUT, MEND = signal.SIGUSR1, signal.SIGUSR2


def obey() -> None:
    """Be cut off, and not any more, at these signals."""
    create, cut = aiokafka.client.create_conn, False

    async def connect(*args: Any, **options: Any) -> Any:
        if cut:
            raise ConnectionError("cut off")
        return await create(*args, **options)

    def change(number: int, _frame: object) -> None:
        nonlocal cut
        cut = number == CUT
        for connection in psutil.Process().net_connections("tcp") if cut else ():
            if connection.status == psutil.CONN_ESTABLISHED:
                with socket.socket(fileno=os.dup(connection.fd)) as end:
                    end.shutdown(socket.SHUT_RDWR)

    aiokafka.client.create_conn = connect
    signal.signal(CUT, change)
    signal.signal(MEND, change)
