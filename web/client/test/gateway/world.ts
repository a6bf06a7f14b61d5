/** The gateway of the tests, and the actions that the tests take on it (tests/support/web_client.py). */

import { vi } from "vitest";
import { WebSocket as NodeWebSocket } from "ws";

import { Session, WebSocketClient, type ClientOptions, type Kept } from "../../src/index.js";
import type { SocketClass } from "../../src/wire.js";

export const GATEWAY = process.env["CATALOGIZER_GATEWAY"] as string;
const CONTROL = process.env["CATALOGIZER_CONTROL"] as string;

/** A WebSocket of an independent library; counts how many were made. */
export class CountedSocket extends NodeWebSocket {
  static count = 0;

  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
    CountedSocket.count += 1;
  }
}

export const Socket = CountedSocket as unknown as SocketClass;
export const here = { url: `${GATEWAY.replace("http", "ws")}/ws`, api: `${GATEWAY}/api/v1` };

/** Request an action from the test's server. */
export async function control<T = object>(action: string, body: object = {}): Promise<T> {
  const answer = await fetch(`${CONTROL}/${action}`, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error(await answer.text());
  }
  return (await answer.json()) as T;
}

export function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    clear: () => kept.clear(),
    key: (at) => [...kept.keys()][at] ?? null,
    get length() {
      return kept.size;
    },
  };
}

export async function signedIn(options: { storage?: Storage } = {}): Promise<Session> {
  const session = new Session({ api: here.api, storage: options.storage ?? storage(), locks: null });
  await session.signIn("admin", process.env["CATALOGIZER_PASSWORD"] as string);
  return session;
}

/** Replace the session's token by one that expires in so many seconds. */
export async function shorten(session: Session, seconds: number): Promise<void> {
  const kept = session.kept as Kept;
  const { token } = await control<{ token: string }>("shorten", { token: kept.token, seconds });
  session.take({ ...kept, token });
}

export interface Received {
  client: WebSocketClient;
  films: number[];
  states: string[];
}

/** Connect, and wait until events are received. */
export async function connected(make: typeof WebSocketClient, options: ClientOptions): Promise<Received> {
  const client = new make(undefined, { ...here, WebSocket: Socket, tabs: null, store: null, jitter: 0.5, ...options });
  const received: Received = { client, films: [], states: [] };
  client.on("media_update", ({ data }) => received.films.push(data.media_id));
  client.on("state", (state) => received.states.push(state));
  const subscribed = new Promise<void>((resolve) => {
    client.on("subscribed", ({ channel }) => channel === "media_updates" && resolve());
  });
  client.connect();
  await subscribed;
  return received;
}

export const until = (check: () => void, timeout = 15_000): Promise<void> => vi.waitFor(check, { timeout, interval: 20 });

let next = 1;

/** Append so many films with unused numbers; returns the numbers. */
export async function pour(count: number): Promise<number[]> {
  const first = next;
  next += count;
  await control("films", { first, count });
  return Array.from({ length: count }, (_, n) => first + n);
}
