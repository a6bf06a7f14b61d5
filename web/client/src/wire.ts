/** One connection, over a WebSocket or over HTTP: it opens, carries frames and ends. It never reconnects by itself. */

export interface Wire {
  readonly kind: "socket" | "streams";
  send(text: string): void;
  /** Close it from this side; `closed` is not called afterwards. */
  close(code: number, reason: string): void;
}

export interface WireEvents {
  opened(): void;
  frame(text: string): void;
  /** Data arrived, whether or not it completes a frame. */
  alive(): void;
  failed(event: unknown): void;
  /** Called once; never while `Dial` is still running, and never after `close`. 1006: closed without a close frame. */
  closed(code: number, reason: string): void;
}

export type Dial = (token: string | null, on: WireEvents) => Wire;

/** The part of `WebSocket` that is used. */
export type SocketClass = new (url: string, protocols?: string[]) => Pick<
  WebSocket,
  "send" | "close" | "onopen" | "onmessage" | "onclose" | "onerror"
>;

/** A WebSocket. The token is sent as a subprotocol, so that it is in no address, or in the query, as in the contract. */
export function dialSocket(url: string, tokenIn: "protocol" | "query", Socket: SocketClass): Dial {
  return (token, on) => {
    const socket =
      token === null
        ? new Socket(url)
        : tokenIn === "query"
          ? new Socket(`${url}?token=${encodeURIComponent(token)}`)
          : new Socket(url, ["bearer", token]);
    let over = false;
    socket.onopen = () => over || on.opened();
    socket.onmessage = (message: MessageEvent) => over || on.frame(String(message.data));
    socket.onerror = (event: Event) => over || on.failed(event);
    socket.onclose = (close: CloseEvent) => {
      if (!over) {
        over = true;
        on.closed(close.code, close.reason);
      }
    };
    return {
      kind: "socket",
      send: (text) => socket.send(text),
      close: (code, reason) => {
        over = true;
        socket.close(code, reason);
      },
    };
  };
}
