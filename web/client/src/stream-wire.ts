/**
 * Channels over HTTP, for networks that let no WebSocket through: each subscription is a stream of server-sent events, read by
 * `fetch` because the token is sent in `Authorization`. The messages are the socket's, as far as HTTP has them.
 */

import type { Dial, Wire, WireEvents } from "./wire.js";
import type { ClientMessage, SubscribeOptions } from "./protocol.js";

const INVALID_TOKEN = 4001;
const OVERLOAD = 1013;
const ABNORMAL_CLOSURE = 1006;

/** `api`: the address of `/api/v1`, without a slash at its end. */
export function dialStreams(api: string, fetcher: typeof fetch): Dial {
  return (token, on) => new StreamWire(api, fetcher, token, on);
}

class StreamWire implements Wire {
  readonly kind = "streams";
  private readonly streams = new Map<string, AbortController>();
  private readonly statusRequest = new AbortController();
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
        this.reply({ type: "unsubscribed", data: { channel }, channel }, message);
        break;
      case "auth":
        this.token = String(message["token"]); // for new streams; each open stream ends when its own token expires
        break;
      case "ping":
        this.reply({ type: "pong", data: {} }, message);
        break;
      default:
        this.sendError("unknown_type", `${message.type} is not understood over HTTP`, message);
    }
  }

  close(): void {
    this.over = true;
    this.statusRequest.abort();
    for (const stream of this.streams.values()) {
      stream.abort();
    }
  }

  private async open(): Promise<void> {
    try {
      const answer = await this.get("auth/status", this.statusRequest.signal);
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
      this.fail(error);
    }
  }

  private async follow(channel: string, message: ClientMessage): Promise<void> {
    const { signal } = this.streams.get(channel) as AbortController;
    const options = message as SubscribeOptions;
    if (options.until !== undefined || options.credit !== undefined) {
      this.sendError("bad_request", "until and credit are not understood over HTTP", message);
      return;
    }
    try {
      const answer = await this.get(`channels/${encodeURIComponent(channel)}/stream?${queryOf(options)}`, signal);
      if (answer.ok && answer.body) {
        await this.read(answer.body, message, signal);
      } else {
        this.rejected(answer.status, channel, message);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.fail(error);
      }
    }
  }

  private async read(body: ReadableStream<Uint8Array>, message: ClientMessage, signal: AbortSignal): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    let event = "";
    let last = { code: ABNORMAL_CLOSURE, reason: "" };
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
          last = { code: Number(code), reason }; // some gateways send the close code and reason as a comment
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

  private rejected(status: number, channel: string, message: ClientMessage): void {
    this.streams.delete(channel);
    switch (status) {
      case 400:
        return this.sendError("bad_cursor", "the cursor was rejected", message);
      case 401:
        return this.end(INVALID_TOKEN, "");
      case 404:
        return this.sendError("unknown_channel", `no channel ${channel}`, message);
      case 422:
        return this.sendError("bad_request", "the subscription was rejected", message);
      default:
        return this.end(OVERLOAD, `HTTP ${status}`);
    }
  }

  private get(path: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
    return this.fetcher(`${this.api}/${path}`, { headers, signal, cache: "no-store" });
  }

  private sendError(code: string, text: string, message: ClientMessage): void {
    this.reply({ type: "error", data: { code, message: text } }, message);
  }

  private reply(frame: object, { ref }: ClientMessage): void {
    this.on.frame(JSON.stringify({ ...frame, ...(ref === undefined ? {} : { ref }), timestamp: new Date().toISOString() }));
  }

  private fail(error: unknown): void {
    if (!this.over) {
      this.on.failed(error);
      this.end(ABNORMAL_CLOSURE, "");
    }
  }

  private end(code: number, reason: string): void {
    if (!this.over) {
      this.close();
      this.on.closed(code, reason);
    }
  }
}

function queryOf({ from, filter }: SubscribeOptions): URLSearchParams {
  const query = new URLSearchParams({ from: typeof from === "string" ? from : JSON.stringify(from ?? "live") });
  for (const [name, values] of Object.entries(filter ?? {})) {
    for (const value of [values].flat()) {
      query.append(name, value);
    }
  }
  return query;
}

/** Put the subscription's `ref` into its answer, as on a socket. */
function withRef(text: string, { ref }: ClientMessage): string {
  return ref === undefined || !text.startsWith('{"type":"subscribed"')
    ? text
    : `{"ref":${JSON.stringify(ref)},${text.slice(1)}`;
}
