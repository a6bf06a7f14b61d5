/**
 * What a page has of the gateway's events: one line (its own, or one shared with other pages), where the page stands in each
 * channel, and the clients on the page that hear of it. An event reaches a client once, whatever the line goes through.
 */

import { CHANNELS } from "./messages.generated.js";
import { Positions, type Position } from "./positions.js";
import {
  isEvent,
  type AnswerMessage,
  type ClientMessage,
  type Closed,
  type ConnectionState,
  type Gap,
  type ServerMessage,
  type SubscribeOptions,
} from "./protocol.js";
import type { Standing, Upstream, UpstreamEvents } from "./tabs.js";

const EVERYBODYS = Object.entries(CHANNELS).flatMap(([name, { everybody }]) => (everybody ? [name] : []));
const KEEP_MS = 250; // positions are written no more often

/** What a client is to the feed. */
export interface Listener {
  readonly id: string;
  /** The channels it follows, with options where it asked for any. */
  readonly wants: ReadonlyMap<string, SubscribeOptions | undefined>;
  hears(frame: ServerMessage): void;
  misses(gap: Gap): void;
  state(state: ConnectionState): void;
  failed(event: unknown): void;
  ended(closed: Closed): void;
}

/** Where positions are kept over reloads. */
export type Store = Pick<Storage, "getItem" | "setItem">;

/** The `ref` of a client's message, with its own inside. */
interface ClientRef {
  client: string;
  ref?: unknown;
}

export class Feed {
  state: ConnectionState = "closed";
  private readonly listeners = new Set<Listener>();
  private readonly upstream: Upstream;
  private readonly positions: Positions;
  private readonly subscribed = new Map<string, AnswerMessage<"subscribed">>();
  private wanted: readonly string[] = [];
  private keeping: ReturnType<typeof setTimeout> | undefined;

  /** `key`: under which positions are kept. */
  constructor(
    private readonly key: string,
    private readonly store: Store | null,
    upstream: (on: UpstreamEvents) => Upstream,
  ) {
    this.positions = new Positions(this.kept());
    this.upstream = upstream({
      frame: (frame) => this.frame(frame),
      stands: (standing) => this.stands(standing),
      standing: () => this.standing(),
      state: (state) => this.takeState(state),
      failed: (event) => this.each((listener) => listener.failed(event)),
      ended: (closed) => this.ended(closed),
      start: (channel) => this.start(channel),
      startRefused: (channel, why) => this.startRefused(channel, why),
    });
  }

  join(listener: Listener): void {
    this.listeners.add(listener);
    this.wants();
    if (this.listeners.size === 1) {
      globalThis.addEventListener?.("pagehide", this.keep);
      this.upstream.start();
    } else {
      listener.state(this.state);
    }
  }

  leave(listener: Listener): void {
    if (this.listeners.delete(listener) && this.listeners.size === 0) {
      this.end();
      this.upstream.stop();
    } else {
      this.wants();
    }
  }

  get idle(): boolean {
    return this.listeners.size === 0;
  }

  /** A listener follows a channel from now on; what it asked for stands in its `wants`. */
  follows(listener: Listener, channel: string): void {
    const asked = listener.wants.get(channel);
    const again = this.wanted.includes(channel);
    if (asked) {
      this.forget(channel);
    }
    this.wants();
    const said = this.subscribed.get(channel);
    if (asked && again) {
      this.upstream.again(channel);
    } else if (said) {
      queueMicrotask(() => this.listeners.has(listener) && listener.hears(said));
    }
  }

  /** A listener follows a channel no more. */
  unfollows(): void {
    this.wants();
  }

  say(listener: Listener, message: ClientMessage): void {
    const { ref } = message;
    const routed: ClientRef = { client: listener.id, ...(ref === undefined ? {} : { ref }) };
    this.upstream.say(JSON.stringify({ ...message, ref: routed }));
  }

  private wants(): void {
    const asked = [...this.listeners].flatMap(({ wants }) => [...wants.keys()]);
    this.wanted = [...new Set([...asked, ...EVERYBODYS])];
    this.upstream.want(this.wanted);
  }

  private start(channel: string): SubscribeOptions {
    const options = [...this.listeners].map(({ wants }) => wants.get(channel)).find(Boolean) ?? {};
    const cursor = this.positions.cursor(channel);
    return { ...options, from: cursor ? { cursor } : (options.from ?? "live") };
  }

  private startRefused(channel: string, reason: string): boolean {
    if (this.positions.cursor(channel) === undefined) {
      return false;
    }
    this.forget(channel);
    this.gap({ channel, reason, missed: {} });
    return true;
  }

  private frame(frame: ServerMessage): void {
    if (isEvent(frame)) {
      if (this.positions.admits(frame)) {
        this.keepSoon();
        this.following(frame.channel, (listener) => listener.hears(frame));
      }
      return;
    }
    switch (frame.type) {
      case "subscribed":
        return this.begins(frame);
      case "caught_up":
      case "position":
        this.positions.reached(frame.channel, frame.cursor);
        this.keepSoon();
        break;
      case "gap":
        if (!this.positions.skips(frame)) {
          return;
        }
        this.gap({
          channel: frame.channel,
          reason: frame.reason,
          missed: { [frame.partition]: { from: frame.from, to: frame.to } },
        });
        break;
      case "unsubscribed":
        this.forget(frame.channel); // who comes back begins anew
        break;
      default:
    }
    this.answer(frame);
  }

  private begins(frame: AnswerMessage<"subscribed">): void {
    const cursor = this.positions.cursor(frame.channel);
    const begun = this.positions.begins(frame);
    if (begun === "behind") {
      this.upstream.rewind(frame.channel, cursor as string);
      return;
    }
    this.keepSoon();
    this.subscribed.set(frame.channel, frame);
    if (begun === "short") {
      this.gap({ channel: frame.channel, reason: frame.reason ?? "retention", missed: frame.missed ?? {} });
    }
    this.answer(frame);
  }

  /** Where the stream of another page stands: new here, or to be compared with where this one stands. */
  private stands({ said, ...place }: Standing): void {
    const { channel } = said;
    const before = this.positions.standing(channel);
    const recovered = before === undefined || before.epoch === place.epoch;
    this.begins({ ...said, ...place, recovered, ...(recovered ? {} : { reason: "epoch_changed" }) });
  }

  private standing(): Standing[] {
    return [...this.subscribed].flatMap(([channel, said]) => {
      const at = this.positions.standing(channel);
      return at ? [{ said, ...at }] : [];
    });
  }

  /** To the client that asked; else to those who follow the channel; else to all. */
  private answer(frame: ServerMessage): void {
    const ref = "ref" in frame ? (frame.ref as Partial<ClientRef> & { line?: string }) : undefined;
    if (ref?.client !== undefined) {
      const { ref: _, ...plain } = frame as ServerMessage & { ref: unknown };
      const own = ref.ref === undefined ? plain : { ...plain, ref: ref.ref };
      this.each((listener) => listener.id === ref.client && listener.hears(own as ServerMessage));
      return;
    }
    const channel = ref?.line ?? ("channel" in frame ? frame.channel : undefined);
    if (ref?.line !== undefined) {
      delete (frame as { ref?: unknown }).ref;
    }
    if (channel === undefined) {
      this.each((listener) => listener.hears(frame));
    } else {
      this.following(channel, (listener) => listener.hears(frame));
    }
  }

  private gap(gap: Gap): void {
    this.following(gap.channel, (listener) => listener.misses(gap));
  }

  private takeState(state: ConnectionState): void {
    this.state = state;
    this.each((listener) => listener.state(state));
  }

  private ended(closed: Closed): void {
    const listeners = [...this.listeners];
    this.listeners.clear();
    this.end();
    listeners.forEach((listener) => listener.ended(closed));
  }

  private end(): void {
    globalThis.removeEventListener?.("pagehide", this.keep);
    this.keep();
    this.subscribed.clear();
    this.state = "closed";
  }

  private each(work: (listener: Listener) => void): void {
    [...this.listeners].forEach(work);
  }

  private following(channel: string, work: (listener: Listener) => void): void {
    const everybodys = EVERYBODYS.includes(channel);
    this.each((listener) => (everybodys || listener.wants.has(channel)) && work(listener));
  }

  private forget(channel: string): void {
    this.positions.forget(channel);
    this.subscribed.delete(channel);
    this.keepSoon();
  }

  private kept(): Record<string, Position> {
    try {
      return JSON.parse(this.store?.getItem(this.key) ?? "{}") as Record<string, Position>;
    } catch {
      return {}; // not ours, or closed to us: then the page begins now
    }
  }

  private keepSoon(): void {
    if (this.store) {
      this.keeping ??= setTimeout(this.keep, KEEP_MS);
    }
  }

  private readonly keep = (): void => {
    clearTimeout(this.keeping);
    this.keeping = undefined;
    try {
      this.store?.setItem(this.key, JSON.stringify(this.positions.kept()));
    } catch {
      // full, or closed to us: a reload begins now
    }
  };
}
