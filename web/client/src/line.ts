/**
 * A connection that is made again: it connects, subscribes to all channels that are wanted, sends queued messages, and reconnects
 * by the close code and the table of pauses. It knows nothing of pages and does not read events.
 */

import { CLOSE_CODES } from "./messages.generated.js";
import { pauseBefore } from "./pauses.js";
import type { ClientMessage, Closed, ConnectionState, ServerMessage, SubscribeOptions } from "./protocol.js";
import type { Tokens } from "./tokens.js";
import type { Dial, Wire, WireEvents } from "./wire.js";

const REFUSED = new Set([4001, 4002, 4003]); // the token is not valid (any more): another one may be
const ABNORMAL_CLOSURE = 1006;
const OPEN_MS = 15_000; // a connection that takes longer to open is dropped
const SILENT_MS = 60_000; // after this time without a frame a ping is sent
const ANSWER_MS = 15_000; // the time for its answer
const RESUBSCRIBE_MS = 2_000; // the pause before a subscription is requested again that the gateway could not serve
const MAX_MUTE = 2; // after so many sockets in a row without a frame, HTTP is tried
const BURST = 20; // messages at once; the gateway accepts 40, and 20 a second
const PACE_MS = 100;

export interface LineOptions {
  dial?: Dial | undefined;
  fallback?: Dial | undefined;
  tokens: Tokens;
  jitter: number;
  random: () => number;
}

export interface LineEvents {
  frame(text: string, frame: ServerMessage): void;
  state(state: ConnectionState): void;
  failed(event: unknown): void;
  /** The connection has ended and is not made again. */
  ended(closed: Closed): void;
  /** The options with which to subscribe to a channel. */
  start(channel: string): SubscribeOptions;
  /** The gateway rejected where a channel was to begin; true if `start` returns something else now. */
  startRefused(channel: string, why: string): boolean;
}

/** The `ref` of a subscription that the line itself requests. */
interface OwnRef {
  line: string;
}

export class Line {
  private wire: Wire | undefined;
  private token: string | null = null;
  private attempts = 0;
  private mute = 0; // sockets in a row without a frame
  private received = false;
  private running = false;
  private open = false;
  private wanted: readonly string[] = [];
  private readonly queue: { text: string; sent?: () => void }[] = [];
  private budget = { messages: BURST, since: 0 };
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private removeTokenListener: (() => void) | undefined;

  constructor(
    private readonly options: LineOptions,
    private readonly on: LineEvents,
  ) {}

  start(): void {
    if (!this.running) {
      this.running = true;
      this.removeTokenListener = this.options.tokens.onChange?.(() => this.tokenChanged());
      globalThis.addEventListener?.("online", this.online);
      this.dial();
    }
  }

  /** Close the connection and stay closed. */
  stop(): void {
    if (this.running) {
      this.on.state("closing");
      this.end();
      this.on.state("closed");
    }
  }

  /** Follow exactly these channels. */
  want(channels: readonly string[]): void {
    const before = this.wanted;
    this.wanted = channels;
    if (this.open) {
      channels.filter((channel) => !before.includes(channel)).forEach((channel) => this.subscribe(channel));
      for (const channel of before.filter((channel) => !channels.includes(channel))) {
        this.write({ type: "unsubscribe", channel });
      }
    }
  }

  /** Subscribe to a channel (again), with the options that `start` returns or from an older cursor. */
  subscribe(channel: string, options: SubscribeOptions = this.on.start(channel)): void {
    if (this.open && this.wanted.includes(channel)) {
      this.write({ type: "subscribe", channel, ...options, ref: { line: channel } satisfies OwnRef });
    }
  }

  /** Send a message as soon as possible; `sent` is called then. */
  send(text: string, sent?: () => void): void {
    this.queue.push(sent ? { text, sent } : { text });
    this.drain();
  }

  private readonly online = (): void => {
    if (this.running && !this.wire && this.timers.has("dial")) {
      this.dial();
    }
  };

  private dial(dial = this.options.dial ?? this.options.fallback): void {
    this.clear();
    this.on.state("connecting");
    this.token = this.options.tokens.current();
    if (!dial) {
      throw new Error("neither WebSocket nor fetch is available");
    }
    this.received = false;
    const events: WireEvents = {
      opened: () => this.opened(),
      frame: (text) => this.receive(text),
      alive: () => this.watch(),
      failed: (event) => this.on.failed(event),
      closed: (code, reason) => this.closed(code, reason),
    };
    try {
      this.wire = dial(this.token, events);
      this.later("silent", OPEN_MS, () => this.drop());
    } catch (error) {
      this.on.failed(error);
      this.closed(ABNORMAL_CLOSURE, "");
    }
  }

  private opened(): void {
    this.open = true;
    this.watch();
    this.wanted.forEach((channel) => this.subscribe(channel));
    this.drain();
    this.on.state("open");
  }

  private receive(text: string): void {
    this.watch();
    let frame: ServerMessage;
    try {
      frame = JSON.parse(text) as ServerMessage;
    } catch (error) {
      console.error("a frame that is no JSON", error);
      return;
    }
    if (!this.received) {
      this.received = true;
      this.attempts = 0;
      this.mute = this.wire?.kind === "socket" ? 0 : this.mute;
    }
    if (frame.type === "unsubscribed" && frame.reason === "complete") {
      this.wanted = this.wanted.filter((channel) => channel !== frame.channel);
    } else if (frame.type === "auth_expiring") {
      void this.renew().then((token) => token && this.tokenChanged());
    } else if (frame.type === "error") {
      this.refused(frame.data.code, (frame.ref as OwnRef | undefined)?.line);
    }
    this.on.frame(text, frame);
  }

  private refused(code: string, channel: string | undefined): void {
    if (channel === undefined) {
      return;
    }
    if (code === "bad_cursor" || code === "bad_request") {
      if (this.on.startRefused(channel, code)) {
        this.subscribe(channel);
      }
    } else if (code === "unavailable" || code === "rate_limited") {
      this.later(`subscribe ${channel}`, RESUBSCRIBE_MS, () => this.subscribe(channel));
    }
  }

  private closed(code: number, reason: string): void {
    const { kind } = this.wire ?? { kind: "socket" };
    this.wire = undefined;
    this.open = false;
    this.clear();
    const known = CLOSE_CODES[code];
    const closed: Closed = {
      code,
      reason,
      meaning: known?.meaning ?? "the connection broke",
      comeBack: known?.comeBack ?? true,
    };
    const { tokens } = this.options;
    if (REFUSED.has(code) && tokens.current() !== this.token && tokens.current() !== null) {
      this.comeBack(); // there is a new token already
    } else if (REFUSED.has(code) && tokens.renew) {
      void this.comeBackRenewed(closed);
    } else if (!closed.comeBack) {
      this.endFor(closed);
    } else if (kind === "socket" && !this.received && ++this.mute >= MAX_MUTE && this.options.fallback && this.options.dial) {
      this.dial(this.options.fallback);
    } else {
      this.comeBack();
    }
  }

  private async comeBackRenewed(closed: Closed): Promise<void> {
    this.on.state("connecting");
    const token = await this.renew();
    if (!this.running || this.wire) {
      return;
    }
    if (token === null) {
      this.endFor({ ...closed, comeBack: false });
    } else {
      this.comeBack();
    }
  }

  private async renew(): Promise<string | null> {
    try {
      return (await this.options.tokens.renew?.(this.token)) ?? null;
    } catch (error) {
      this.on.failed(error);
      return this.token; // not renewed, but the session has not ended either
    }
  }

  private tokenChanged(): void {
    const token = this.options.tokens.current();
    if (this.open && token !== null && token !== this.token) {
      this.token = token;
      this.write({ type: "auth", token });
    }
  }

  private comeBack(): void {
    this.attempts += 1;
    this.on.state("connecting");
    const pause = pauseBefore(this.attempts, this.options.jitter, this.options.random());
    this.later("dial", pause, () => this.dial());
  }

  private endFor(closed: Closed): void {
    this.end();
    this.on.state("closed");
    this.on.ended(closed);
  }

  private end(): void {
    this.running = this.open = false;
    this.attempts = this.mute = 0;
    this.clear();
    this.removeTokenListener?.();
    globalThis.removeEventListener?.("online", this.online);
    this.wire?.close(1000, "Client disconnect");
    this.wire = undefined;
  }

  /** Data arrived: send a ping if nothing follows, and drop the connection if the ping is not answered. */
  private watch(): void {
    this.later("silent", SILENT_MS, () => {
      this.write({ type: "ping" });
      this.later("silent", ANSWER_MS, () => this.drop());
    });
  }

  private drop(): void {
    this.wire?.close(4000, "no answer");
    this.closed(ABNORMAL_CLOSURE, "no answer");
  }

  private write(message: ClientMessage): void {
    this.spend();
    this.wire?.send(JSON.stringify(message));
  }

  private drain(): void {
    while (this.open && this.wire && this.queue.length > 0) {
      if (this.remaining() < 1) {
        this.later("drain", PACE_MS, () => this.drain());
        return;
      }
      this.spend();
      const { text, sent } = this.queue.shift() as { text: string; sent?: () => void };
      this.wire.send(text);
      sent?.();
    }
  }

  /** How many messages may be sent now. */
  private remaining(): number {
    const now = Date.now();
    const messages = Math.min(BURST, this.budget.messages + (now - this.budget.since) / PACE_MS);
    this.budget = { messages, since: now };
    return messages;
  }

  private spend(): void {
    const remaining = this.remaining();
    this.budget.messages = remaining - 1;
  }

  private later(name: string, milliseconds: number, work: () => void): void {
    clearTimeout(this.timers.get(name));
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name);
        work();
      }, milliseconds),
    );
  }

  private clear(): void {
    this.timers.forEach((timer) => clearTimeout(timer));
    this.timers.clear();
  }
}
