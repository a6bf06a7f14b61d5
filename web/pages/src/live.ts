/**
 * The socket: the state of the connection, the newest events for the feed, and which cached answers the events make stale.
 *
 * An answer is requested again one second after the event that changed it, and at most every two seconds while events arrive: a
 * timer that was restarted at each event would never fire during an import.
 */

import { CacheUpdates, WebSocketClient, type EventMessage, type Gap } from "@catalogizer/client";
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

import type { ChannelState } from "./answers.js";
import { session } from "./session.js";

const KEPT = 10_000;
const DRAW_MS = 100;
const DELAY_MS = 1_000;
const EVERY_MS = 2_000;

export type Connection = "connecting" | "live" | "lost" | "offline";

/** A line of the feed: an event, or a gap, which is events that will not be delivered. */
export type Line =
  | { id: string; kind: "event"; at: string; event: EventMessage; replayed: boolean }
  | { id: string; kind: "gap"; at: string; gap: Gap; replayed: boolean };

export function lineOf(event: EventMessage, replayed: boolean): Line {
  return { id: `${event.channel} ${event.partition}:${event.offset}`, kind: "event", at: event.timestamp, event, replayed };
}

export interface Feed {
  /** The oldest first. */
  lines: readonly Line[];
  /** How many lines came since the page was opened. */
  total: number;
}

type Listener = (event: EventMessage) => void;

class Store<T> {
  private readonly listeners = new Set<() => void>();

  constructor(public value: T) {}

  set(value: T): void {
    this.value = value;
    this.listeners.forEach((listener) => listener());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

const connection = new Store<Connection>("connecting");
const feed = new Store<Feed>({ lines: [], total: 0 });
const eventListeners = new Set<Listener>();

let waiting: Line[] = [];
let drawing: ReturnType<typeof setTimeout> | undefined;
let gaps = 0;

function add(line: Line): void {
  waiting.push(line);
  drawing ??= setTimeout(draw, DRAW_MS);
}

function draw(): void {
  drawing = undefined;
  const { lines, total } = feed.value;
  const all = [...lines, ...waiting].slice(-KEPT);
  feed.set({ lines: all, total: total + waiting.length });
  waiting = [];
}

export function clearFeed(): void {
  feed.set({ ...feed.value, lines: [] });
}

export function useConnection(): Connection {
  return useSyncExternalStore(connection.subscribe, () => connection.value);
}

export function useFeed(): Feed {
  return useSyncExternalStore(feed.subscribe, () => feed.value);
}

/** Call `listener` with every event as it arrives. Returns a function that removes it. */
export function onEvent(listener: Listener): () => void {
  eventListeners.add(listener);
  return () => eventListeners.delete(listener);
}

/** Requests again the answers that events have made stale. */
class Refreshing {
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly last = new Map<string, number>();

  constructor(private readonly cache: QueryClient) {}

  later(queryKey: QueryKey): void {
    const name = JSON.stringify(queryKey);
    if (this.timers.has(name)) {
      return;
    }
    const wait = Math.max(DELAY_MS, (this.last.get(name) ?? 0) + EVERY_MS - Date.now());
    this.timers.set(name, setTimeout(() => this.due(name, queryKey), wait));
  }

  private due(name: string, queryKey: QueryKey): void {
    this.timers.delete(name);
    if (this.cache.isFetching({ queryKey }) > 0) {
      this.later(queryKey); // a slow request is not cancelled, else it would never be answered
      return;
    }
    this.last.set(name, Date.now());
    void this.cache.invalidateQueries({ queryKey }, { cancelRefetch: false });
  }

  stop(): void {
    this.timers.forEach((timer) => clearTimeout(timer));
  }
}

/** Follow the channels while a user is signed in. Returns a function that stops it. */
export function follow(cache: QueryClient, allowed: readonly string[]): () => void {
  const client = new WebSocketClient(undefined, { tokens: session, channels: allowed });
  const refreshing = new Refreshing(cache);
  const updates = new CacheUpdates({
    invalidateQueries: ({ queryKey }) => refreshing.later(queryKey),
    setQueryData: (queryKey) => refreshing.later(queryKey), // the address of a cover is signed for each user
    removeQueries: ({ queryKey }) => refreshing.later(queryKey), // its page then shows that it is deleted
  });
  const event = (message: EventMessage): void => {
    add(lineOf(message, false));
    eventListeners.forEach((listener) => listener(message));
    ALSO[message.type]?.forEach((name) => refreshing.later([name]));
  };
  let opened = false;
  const stops = [
    client.on("message", (message) => {
      if ("offset" in message && "partition" in message) {
        event(message as EventMessage);
      }
      updates.apply(message);
      if (message.type === "unsubscribed" && message.reason === "forbidden") {
        void cache.invalidateQueries({ queryKey: ["channels"] });
        void cache.invalidateQueries({ queryKey: ["permissions"] });
      }
    }),
    client.on("gap", (gap) => {
      add({ id: `gap ${(gaps += 1)}`, kind: "gap", at: new Date().toISOString(), gap, replayed: false });
      updates.missed(gap);
    }),
    client.on("state", (state) => {
      if (state === "open" && opened && connection.value !== "live") {
        refreshing.later(["channels"]); // rights may have changed in the meantime
      }
      opened ||= state === "open";
      connection.set(state === "open" ? "live" : opened ? (navigator.onLine ? "lost" : "offline") : "connecting");
    }),
  ];
  client.connect();
  return () => {
    stops.forEach((stop) => stop());
    client.disconnect();
    refreshing.stop();
    connection.set("connecting");
  };
}

/** Empty the feed: the next user may be another one. */
export function forget(): void {
  waiting = [];
  feed.set({ lines: [], total: 0 });
}

const ALSO: Partial<Record<EventMessage["type"], readonly string[]>> = {
  media_update: ["changes"],
  system_update: ["roots", "scans", "health", "events", "changes"],
  analysis_complete: ["scans", "changes"],
};

/** The channels to follow: of those that the account may read, the ones that have a topic. */
export function followed(known: readonly ChannelState[]): string[] {
  return known.filter(({ topic }) => topic !== null).map(({ name }) => name);
}
