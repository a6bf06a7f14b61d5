/**
 * `WebSocketClient`: the contract's client. Every component may create its own; all clients of one user share one line in the
 * page, and one socket in the browser.
 */

import { Feed, type Listener, type Store } from "./feed.js";
import type { AnswerData, EventData } from "./messages.generated.js";
import type {
  AnswerMessage,
  ChannelName,
  ClientMessage,
  Closed,
  ConnectionState,
  ErrorMessage,
  EventMessage,
  Gap,
  PlainMessage,
  ServerMessage,
  SubscribeOptions,
  WebSocketMessage,
} from "./protocol.js";
import { storedTokens } from "./session.js";
import { dialStreams } from "./stream-wire.js";
import { OwnLine, SharedLine, type Between, type Locks, type TabPorts } from "./tabs.js";
import { ownerOf, NewestTokens, type Tokens } from "./tokens.js";
import { dialSocket, type SocketClass } from "./wire.js";

/** Subscribed to whenever a client connects. */
export const AUTO_SUBSCRIBED = ["media_updates", "system_updates", "analysis_updates"] as const;

export interface ClientOptions {
  /** Address of the socket; default: `ws` beside the page, or `ws://localhost:8080/ws` if there is no page. */
  url?: string;
  /** Address of the REST interface, with `/api/v1`; default: beside the socket. */
  api?: string;
  /** The source of the token, instead of a fixed one. */
  tokens?: Tokens;
  /** Send the token as a subprotocol (so that it is in no log), or in the address as `?token=`. */
  tokenIn?: "protocol" | "query";
  /** Subscribed to on connecting. */
  channels?: readonly ChannelName[];
  /** False: a socket of its own, and positions are not stored. Required for options of a subscription. */
  share?: boolean;
  /** The part of a pause that may be subtracted at random; 0: exactly the contract's table. */
  jitter?: number;
  random?: () => number;
  /** Where positions are stored over reloads; null: nowhere. */
  store?: Store | null;
  /** null: the line is not shared between tabs. */
  tabs?: TabPorts | null;
  /** null: only HTTP is used. */
  WebSocket?: SocketClass | null;
  /** null: no fallback to HTTP. */
  fetch?: typeof fetch | null;
}

/** The values that listeners of `on` are called with. */
export type Listened = {
  [K in keyof EventData]: EventMessage<K>;
} & { [K in keyof AnswerData as K extends "gap" ? never : K]: AnswerMessage<K> } & {
  error: ErrorMessage;
  pong: PlainMessage;
  authenticated: PlainMessage;
  /** Every message. */
  message: ServerMessage;
  /** Events that will not be delivered. */
  gap: Gap;
  state: ConnectionState;
  /** The connection has ended and is not made again. */
  closed: Closed;
};

const feeds = new Map<string, { feed: Feed; tokens: NewestTokens }>();
let clients = 0;

export class WebSocketClient {
  private readonly options: ClientOptions;
  private readonly tokens: Tokens;
  private readonly wants: Map<string, SubscribeOptions | undefined>;
  private readonly listeners = new Map<string, Set<(value: never) => void>>();
  private readonly queue: ClientMessage[] = [];
  private readonly listener: Listener;
  private feed: Feed | undefined;
  private opened = false;
  private onMessage: ((message: WebSocketMessage) => void) | null = null;
  private onConnect: (() => void) | null = null;
  private onDisconnect: (() => void) | null = null;
  private onError: ((error: Event) => void) | null = null;

  /** Without a token, the one of the session stored in the browser is used and renewed. */
  constructor(token?: string, options: ClientOptions = {}) {
    this.options = options;
    this.tokens = options.tokens ?? (token ? { current: () => token } : storedTokens(apiOf(options)));
    this.wants = new Map((options.channels ?? AUTO_SUBSCRIBED).map((channel) => [channel, undefined]));
    this.listener = {
      id: `${(clients += 1)}-${Math.random().toString(36).slice(2)}`,
      wants: this.wants,
      frame: (frame) => this.receive(frame),
      gap: (gap) => this.emit("gap", gap),
      state: (state) => this.takeState(state),
      failed: (event) => this.onError?.(event as Event),
      ended: (closed) => this.ended(closed),
    };
  }

  connect(): void {
    if (!this.feed) {
      this.feed = feedFor(this.options, this.tokens);
      this.feed.join(this.listener);
      this.queue.splice(0).forEach((message) => this.send(message));
    }
  }

  disconnect(): void {
    const { feed } = this;
    this.feed = undefined;
    feed?.leave(this.listener);
    if (feed) {
      this.takeState("closed");
    }
  }

  /** Send a message now, or when there is a connection. */
  send(message: ClientMessage): void {
    const { type, channel, ref, ...options } = message;
    if (type === "subscribe" && typeof channel === "string" && ref === undefined) {
      this.subscribe(channel, Object.keys(options).length > 0 ? (options as SubscribeOptions) : undefined);
    } else if (type === "unsubscribe" && typeof channel === "string" && ref === undefined) {
      this.unsubscribe(channel);
    } else if (this.feed) {
      this.feed.send(this.listener, message);
    } else {
      this.queue.push(message);
    }
  }

  /**
   * Follow a channel; after every reconnect and reload it continues at this page's position. Options (where to begin, a filter)
   * require a client with `share: false`, because they would apply to all clients. Throws a TypeError otherwise.
   */
  subscribe(channel: ChannelName, options?: SubscribeOptions): void {
    if (options && this.options.share !== false) {
      throw new TypeError("options of a subscription need a client of its own: share: false");
    }
    this.wants.set(channel, options);
    this.feed?.follows(this.listener, channel);
  }

  unsubscribe(channel: ChannelName): void {
    if (this.wants.delete(channel)) {
      this.feed?.unfollows();
    }
  }

  setOnMessage(callback: (message: WebSocketMessage) => void): void {
    this.onMessage = callback;
  }

  setOnConnect(callback: () => void): void {
    this.onConnect = callback;
  }

  setOnDisconnect(callback: () => void): void {
    this.onDisconnect = callback;
  }

  setOnError(callback: (error: Event) => void): void {
    this.onError = callback;
  }

  getConnectionState(): ConnectionState {
    return this.feed?.state ?? "closed";
  }

  /** Listen to one type of message, to all (`message`), or to the connection's state. Returns a function that removes the listener. */
  on<K extends keyof Listened>(type: K, listener: (value: Listened[K]) => void): () => void {
    const known = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, known.add(listener));
    return () => known.delete(listener);
  }

  private receive(frame: ServerMessage): void {
    if (frame.type === "unsubscribed" && frame.reason === "complete") {
      this.wants.delete(frame.channel); // a replay that is complete
    }
    this.onMessage?.(frame);
    this.emit("message", frame);
    if (frame.type !== "gap") {
      this.emit(frame.type, frame as never);
    }
  }

  private takeState(state: ConnectionState): void {
    this.emit("state", state);
    const opened = state === "open";
    if (opened !== this.opened) {
      this.opened = opened;
      (opened ? this.onConnect : this.onDisconnect)?.();
    }
  }

  private ended(closed: Closed): void {
    this.feed = undefined;
    this.takeState("closed");
    this.emit("closed", closed);
  }

  private emit<K extends keyof Listened>(type: K, value: Listened[K]): void {
    this.listeners.get(type)?.forEach((listener) => (listener as (value: Listened[K]) => void)(value));
  }
}

function feedFor(options: ClientOptions, tokens: Tokens): Feed {
  const url = urlOf(options);
  const key = `catalogizer ${url} ${ownerOf(tokens.current())}`;
  if (options.share === false) {
    return feedOf(key, url, options, tokens);
  }
  const known = feeds.get(key);
  if (known) {
    known.tokens.use(tokens);
    return known.feed;
  }
  const newest = new NewestTokens(tokens);
  const feed = feedOf(key, url, options, newest);
  feeds.set(key, { feed, tokens: newest });
  return feed;
}

function feedOf(key: string, url: string, options: ClientOptions, tokens: Tokens): Feed {
  const { share = true, jitter = 0.5, random = Math.random, tokenIn = "protocol" } = options;
  const Socket = options.WebSocket === undefined ? globalThis.WebSocket : options.WebSocket;
  const fetcher = options.fetch === undefined ? globalThis.fetch?.bind(globalThis) : options.fetch;
  const line = {
    tokens,
    jitter,
    random,
    dial: Socket ? dialSocket(url, tokenIn, Socket) : undefined,
    fallback: fetcher ? dialStreams(apiOf(options), fetcher) : undefined,
  };
  const store = options.store === undefined ? (share ? storeOfTab() : null) : options.store;
  const tabs = options.tabs === undefined ? tabsHere() : options.tabs;
  return new Feed(key, store, (on) => (share && tabs ? new SharedLine(key, tabs, line, on) : new OwnLine(line, on)));
}

function urlOf({ url }: ClientOptions): string {
  if (url !== undefined) {
    return url;
  }
  if (typeof document === "undefined") {
    return "ws://localhost:8080/ws";
  }
  const beside = new URL("ws", document.baseURI);
  beside.protocol = beside.protocol === "https:" ? "wss:" : "ws:";
  return beside.href;
}

function apiOf(options: ClientOptions): string {
  return options.api ?? urlOf(options).replace(/^ws/, "http").replace(/\/ws\/?$/, "") + "/api/v1";
}

/** Locks and a channel between pages; null if one is missing (plain http, an old browser): each page has its own socket then. */
function tabsHere(): TabPorts | null {
  const locks = globalThis.navigator?.locks as Locks | undefined;
  return locks && typeof BroadcastChannel !== "undefined"
    ? { locks, between: (name) => new BroadcastChannel(name) as unknown as Between }
    : null;
}

function storeOfTab(): Store | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // access is denied
  }
}
