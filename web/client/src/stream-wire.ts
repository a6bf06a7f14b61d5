/**
 * Channels over HTTP for where no WebSocket gets through: each subscription is a stream of server-sent events, read by `fetch`
 * because the token belongs into `Authorization`. Speaks the socket's messages, as far as HTTP has them.
 */

import type { Dial, Wire, WireEvents } from "./wire.js";
import type { ClientMessage, SubscribeOptions } from "./protocol.js";

const INVALID_TOKEN = 4001;
const OVERLOAD = 1013;
const WITHOUT_A_WORD = 1006;

/** `api`: the address of `/api/v1`, without a slash at its end. */
export function dialStreams(api: string, fetcher: typeof fetch): Dial {
  return (token, on) => new StreamWire(api, fetcher, token, on);
}

class StreamWire implements Wire {
  readonly kind = "streams";
  private readonly streams = new Map<string, AbortController>();
  private readonly asking = new AbortController();
  private over = false;

  constructor(
    private readonly api: string,
    private readonly fetcher: typeof fetch,
    private token: string | null,
    private readonly on: WireEvents,
  ) {
    void this.open();
  }

  send(text: string): void {
    const message = JSON.parse(text) as ClientMessage;
    const channel = String(message["channel"]);
    switch (message.type) {
      case "subscribe":
        this.streams.get(channel)?.abort();
        this.streams.set(channel, new AbortController());
        void this.follow(channel, message);
        break;
      case "unsubscribe":
        this.streams.get(channel)?.abort();
        this.streams.delete(channel);
        this.say({ type: "unsubscribed", data: { channel }, channel }, message);
        break;
      case "auth":
        this.token = String(message["token"]); // of streams that begin from now on; the others end with theirs
        break;
      case "ping":
        this.say({ type: "pong", data: {} }, message);
        break;
      default:
        this.refuse("unknown_type", `${message.type} is not understood over HTTP`, message);
    }
  }

  close(): void {
    this.over = true;
    this.asking.abort();
    for (const stream of this.streams.values()) {
      stream.abort();
    }
  }

  private async open(): Promise<void> {
    try {
      const answer = await this.get("auth/status", this.asking.signal);
      const { authenticated } = answer.ok ? ((await answer.json()) as { authenticated: boolean }) : { authenticated: null };
      if (this.over) {
        return;
      }
      if (authenticated) {
        this.on.opened();
      } else {
        this.end(authenticated === null ? OVERLOAD : INVALID_TOKEN, "");
      }
    } catch (error) {
      this.broke(error);
    }
  }

  private async follow(channel: string, message: ClientMessage): Promise<void> {
    const { signal } = this.streams.get(channel) as AbortController;
    const options = message as SubscribeOptions;
    if (options.until !== undefined || options.credit !== undefined) {
      this.refuse("bad_request", "until and credit are not understood over HTTP", message);
      return;
    }
    try {
      const answer = await this.get(`channels/${encodeURIComponent(channel)}/stream?${asked(options)}`, signal);
      if (answer.ok && answer.body) {
        await this.read(answer.body, message, signal);
      } else {
        this.notGranted(answer.status, channel, message);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.broke(error);
      }
    }
  }

  private async read(body: ReadableStream<Uint8Array>, message: ClientMessage, signal: AbortSignal): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    let event = "";
    let last = { code: WITHOUT_A_WORD, reason: "" };
    for (;;) {
      const { done, value } = await reader.read();
      if (this.over || signal.aborted) {
        return;
      }
      if (done) {
        this.end(last.code, last.reason);
        return;
      }
      this.on.alive();
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) {
        const [, code, reason = ""] = /^: ?(\d{4}) (.*)/.exec(line) ?? [];
        if (code !== undefined) {
          last = { code: Number(code), reason }; // the last words of some gateways are a comment
        } else if (line.startsWith("event:")) {
          event = line.slice(6).trim();
        } else if (line.startsWith("data:") && event === "closed") {
          last = JSON.parse(line.slice(5)) as typeof last;
        } else if (line.startsWith("data:")) {
          this.on.frame(withRef(line.slice(5).trim(), message));
        }
      }
    }
  }

  private notGranted(status: number, channel: string, message: ClientMessage): void {
    this.streams.delete(channel);
    switch (status) {
      case 400:
        return this.refuse("bad_cursor", "the cursor was refused", message);
      case 401:
        return this.end(INVALID_TOKEN, "");
      case 404:
        return this.refuse("unknown_channel", `no channel ${channel}`, message);
      case 422:
        return this.refuse("bad_request", "the subscription was refused", message);
      default:
        return this.end(OVERLOAD, `HTTP ${status}`);
    }
  }

  private get(path: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
    return this.fetcher(`${this.api}/${path}`, { headers, signal, cache: "no-store" });
  }

  private refuse(code: string, text: string, message: ClientMessage): void {
    this.say({ type: "error", data: { code, message: text } }, message);
  }

  private say(frame: object, { ref }: ClientMessage): void {
    this.on.frame(JSON.stringify({ ...frame, ...(ref === undefined ? {} : { ref }), timestamp: new Date().toISOString() }));
  }

  private broke(error: unknown): void {
    if (!this.over) {
      this.on.failed(error);
      this.end(WITHOUT_A_WORD, "");
    }
  }

  private end(code: number, reason: string): void {
    if (!this.over) {
      this.close();
      this.on.closed(code, reason);
    }
  }
}

function asked({ from, filter }: SubscribeOptions): URLSearchParams {
  const query = new URLSearchParams({ from: typeof from === "string" ? from : JSON.stringify(from ?? "live") });
  for (const [name, values] of Object.entries(filter ?? {})) {
    for (const value of [values].flat()) {
      query.append(name, value);
    }
  }
  return query;
}

/** The answer to a subscription carries its `ref`, as on a socket. */
function withRef(text: string, { ref }: ClientMessage): string {
  return ref === undefined || !text.startsWith('{"type":"subscribed"')
    ? text
    : `{"ref":${JSON.stringify(ref)},${text.slice(1)}`;
}
