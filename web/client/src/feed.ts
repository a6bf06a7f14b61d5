/**
 * A page's share of the gateway's events: one line (its own, or one shared with other pages), the page's position in each
 * channel, and the page's clients, which receive the events. A client receives each event once, however often the line
 * reconnects.
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
const STORE_MS = 250; // positions are stored at most this often

/** A client as the feed sees it. */
export interface Listener {
  readonly id: string;
  /** The channels it follows, each with the options of its subscription, if it has any. */
  readonly wants: ReadonlyMap<string, SubscribeOptions | undefined>;
  frame(frame: ServerMessage): void;
  gap(gap: Gap): void;
  state(state: ConnectionState): void;
  failed(event: unknown): void;
  ended(closed: Closed): void;
}

/** Where positions are stored over reloads. */
export type Store = Pick<Storage, "getItem" | "setItem">;

/** The `ref` that the feed gives a client's message; the client's own is inside. */
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
  private storing: ReturnType<typeof setTimeout> | undefined;

  /** `key`: the name under which positions are stored. */
  constructor(
    private readonly key: string,
    private readonly store: Store | null,
    upstream: (on: UpstreamEvents) => Upstream,
  ) {
    this.positions = new Positions(this.stored());
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
      globalThis.addEventListener?.("pagehide", this.storeNow);
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

  /** A listener follows a channel from now on; its options are in its `wants`. */
  follows(listener: Listener, channel: string): void {
    const options = listener.wants.get(channel);
    const again = this.wanted.includes(channel);
    if (options) {
      this.forget(channel);
    }
    this.wants();
    const subscribed = this.subscribed.get(channel);
    if (options && again) {
      this.upstream.again(channel);
    } else if (subscribed) {
      queueMicrotask(() => this.listeners.has(listener) && listener.frame(subscribed));
    }
  }

  /** A listener no longer follows a channel. */
  unfollows(): void {
    this.wants();
  }

  send(listener: Listener, message: ClientMessage): void {
    const { ref } = message;
    const routed: ClientRef = { client: listener.id, ...(ref === undefined ? {} : { ref }) };
    this.upstream.send(JSON.stringify({ ...message, ref: routed }));
  }

  private wants(): void {
    const channels = [...this.listeners].flatMap(({ wants }) => [...wants.keys()]);
    this.wanted = [...new Set([...channels, ...EVERYBODYS])];
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
        this.storeSoon();
        this.following(frame.channel, (listener) => listener.frame(frame));
      }
      return;
    }
    switch (frame.type) {
      case "subscribed":
        return this.begins(frame);
      case "caught_up":
      case "position":
        this.positions.reached(frame.channel, frame.cursor);
        this.storeSoon();
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
        this.forget(frame.channel); // a later subscription begins at the newest event
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
    this.storeSoon();
    this.subscribed.set(frame.channel, frame);
    if (begun === "short") {
      this.gap({ channel: frame.channel, reason: frame.reason ?? "retention", missed: frame.missed ?? {} });
    }
    this.answer(frame);
  }

  /** Another page reports where its stream of a channel is: new to this page, or compared with this page's position. */
  private stands({ said: subscribed, ...place }: Standing): void {
    const { channel } = subscribed;
    const before = this.positions.standing(channel);
    const recovered = before === undefined || before.epoch === place.epoch;
    this.begins({ ...subscribed, ...place, recovered, ...(recovered ? {} : { reason: "epoch_changed" }) });
  }

  private standing(): Standing[] {
    return [...this.subscribed].flatMap(([channel, subscribed]) => {
      const at = this.positions.standing(channel);
      return at ? [{ said: subscribed, ...at }] : [];
    });
  }

  /** Pass an answer to the client that sent the request; else to those that follow the channel; else to all. */
  private answer(frame: ServerMessage): void {
    const ref = "ref" in frame ? (frame.ref as Partial<ClientRef> & { line?: string }) : undefined;
    if (ref?.client !== undefined) {
      const { ref: _, ...plain } = frame as ServerMessage & { ref: unknown };
      const own = ref.ref === undefined ? plain : { ...plain, ref: ref.ref };
      this.each((listener) => listener.id === ref.client && listener.frame(own as ServerMessage));
      return;
    }
    const channel = ref?.line ?? ("channel" in frame ? frame.channel : undefined);
    if (ref?.line !== undefined) {
      delete (frame as { ref?: unknown }).ref;
    }
    if (channel === undefined) {
      this.each((listener) => listener.frame(frame));
    } else {
      this.following(channel, (listener) => listener.frame(frame));
    }
  }

  private gap(gap: Gap): void {
    this.following(gap.channel, (listener) => listener.gap(gap));
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
    globalThis.removeEventListener?.("pagehide", this.storeNow);
    this.storeNow();
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
    this.storeSoon();
  }

  private stored(): Record<string, Position> {
    try {
      return JSON.parse(this.store?.getItem(this.key) ?? "{}") as Record<string, Position>;
    } catch {
      return {}; // not our format, or access is denied: the page begins at the newest event
    }
  }

  private storeSoon(): void {
    if (this.store) {
      this.storing ??= setTimeout(this.storeNow, STORE_MS);
    }
  }

  private readonly storeNow = (): void => {
    clearTimeout(this.storing);
    this.storing = undefined;
    try {
      this.store?.setItem(this.key, JSON.stringify(this.positions.kept()));
    } catch {
      // the storage is full, or access is denied: a reload begins at the newest event
    }
  };
}
