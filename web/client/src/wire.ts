/** One connection, whatever it is made of: opens, carries frames, ends. It never comes back by itself. */

export interface Wire {
  readonly kind: "socket" | "streams";
  send(text: string): void;
  /** End it from here; `closed` is not called any more. */
  close(code: number, reason: string): void;
}

export interface WireEvents {
  opened(): void;
  frame(text: string): void;
  /** Something came that is no frame. */
  alive(): void;
  failed(event: unknown): void;
  /** Once, not while it is being made and not after `close`. 1006: without a word. */
  closed(code: number, reason: string): void;
}

export type Dial = (token: string | null, on: WireEvents) => Wire;

/** What of `WebSocket` is used. */
export type SocketClass = new (url: string, protocols?: string[]) => Pick<
  WebSocket,
  "send" | "close" | "onopen" | "onmessage" | "onclose" | "onerror"
>;

/** A WebSocket. The token goes as a subprotocol, which stands in no address, or in the query as the contract has it. */
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
