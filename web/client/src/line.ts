/**
 * A connection that comes back: dials, subscribes to all that is wanted, sends what waits, dials again as the close code and the
 * table of pauses say. It knows nothing of pages, and does not look into events.
 */

import { CLOSE_CODES } from "./messages.generated.js";
import { pauseBefore } from "./pauses.js";
import type { ClientMessage, Closed, ConnectionState, ServerMessage, SubscribeOptions } from "./protocol.js";
import type { Tokens } from "./tokens.js";
import type { Dial, Wire, WireEvents } from "./wire.js";

const REFUSED = new Set([4001, 4002, 4003]); // the token holds no more: another one may
const WITHOUT_A_WORD = 1006;
const OPEN_MS = 15_000; // longer nobody waits for a connection to open
const SILENT_MS = 60_000; // after so long without a frame the other end is asked
const ANSWER_MS = 15_000;
const AGAIN_MS = 2_000; // before a subscription that the gateway could not serve now is asked for again
const MUTE = 2; // sockets in a row that brought no frame: then HTTP is tried too
const BURST = 20; // messages at once; the gateway takes 40, and 20 a second
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
  /** It will not come back by itself. */
  ended(closed: Closed): void;
  /** How a channel is to be subscribed to. */
  start(channel: string): SubscribeOptions;
  /** Where a channel was to begin is refused: true where `start` says something else now. */
  startRefused(channel: string, why: string): boolean;
}

/** The `ref` of a subscription that the line itself asks for. */
interface OwnRef {
  line: string;
}

export class Line {
  private wire: Wire | undefined;
  private token: string | null = null;
  private attempts = 0;
  private mute = 0;
  private heard = false;
  private running = false;
  private open = false;
  private wanted: readonly string[] = [];
  private readonly queue: { text: string; sent?: () => void }[] = [];
  private sparing = { messages: BURST, since: 0 };
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private forgetToken: (() => void) | undefined;

  constructor(
    private readonly options: LineOptions,
    private readonly on: LineEvents,
  ) {}

  start(): void {
    if (!this.running) {
      this.running = true;
      this.forgetToken = this.options.tokens.onChange?.(() => this.tokenChanged());
      globalThis.addEventListener?.("online", this.online);
      this.dial();
    }
  }

  /** Close in order. */
  stop(): void {
    if (this.running) {
      this.on.state("closing");
      this.end();
      this.on.state("closed");
    }
  }

  /** These channels and no others. */
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

  /** Subscribe to a channel (again), where `start` says or from an older cursor. */
  subscribe(channel: string, options: SubscribeOptions = this.on.start(channel)): void {
    if (this.open && this.wanted.includes(channel)) {
      this.write({ type: "subscribe", channel, ...options, ref: { line: channel } satisfies OwnRef });
    }
  }

  /** Send when it can be sent; `sent` is called then. */
  say(text: string, sent?: () => void): void {
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
      throw new Error("neither WebSocket nor fetch is there");
    }
    this.heard = false;
    const events: WireEvents = {
      opened: () => this.opened(),
      frame: (text) => this.hear(text),
      alive: () => this.watch(),
      failed: (event) => this.on.failed(event),
      closed: (code, reason) => this.closed(code, reason),
    };
    try {
      this.wire = dial(this.token, events);
      this.later("silent", OPEN_MS, () => this.drop());
    } catch (error) {
      this.on.failed(error);
      this.closed(WITHOUT_A_WORD, "");
    }
  }

  private opened(): void {
    this.open = true;
    this.watch();
    this.wanted.forEach((channel) => this.subscribe(channel));
    this.drain();
    this.on.state("open");
  }

  private hear(text: string): void {
    this.watch();
    let frame: ServerMessage;
    try {
      frame = JSON.parse(text) as ServerMessage;
    } catch (error) {
      console.error("a frame that is no JSON", error);
      return;
    }
    if (!this.heard) {
      this.heard = true;
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
      this.later(`subscribe ${channel}`, AGAIN_MS, () => this.subscribe(channel));
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
      this.comeBack(); // there is another one already
    } else if (REFUSED.has(code) && tokens.renew) {
      void this.comeBackRenewed(closed);
    } else if (!closed.comeBack) {
      this.endFor(closed);
    } else if (kind === "socket" && !this.heard && ++this.mute >= MUTE && this.options.fallback && this.options.dial) {
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
      return this.token; // not renewed, but not ended either
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
    this.forgetToken?.();
    globalThis.removeEventListener?.("online", this.online);
    this.wire?.close(1000, "Client disconnect");
    this.wire = undefined;
  }

  /** Something came; ask when nothing more does, and leave when that is not answered. */
  private watch(): void {
    this.later("silent", SILENT_MS, () => {
      this.write({ type: "ping" });
      this.later("silent", ANSWER_MS, () => this.drop());
    });
  }

  private drop(): void {
    this.wire?.close(4000, "no answer");
    this.closed(WITHOUT_A_WORD, "no answer");
  }

  private write(message: ClientMessage): void {
    this.spend();
    this.wire?.send(JSON.stringify(message));
  }

  private drain(): void {
    while (this.open && this.wire && this.queue.length > 0) {
      if (this.spare() < 1) {
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
  private spare(): number {
    const now = Date.now();
    const messages = Math.min(BURST, this.sparing.messages + (now - this.sparing.since) / PACE_MS);
    this.sparing = { messages, since: now };
    return messages;
  }

  private spend(): void {
    const spare = this.spare();
    this.sparing.messages = spare - 1;
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
