import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ClientOptions, EventMessage, Gap, TabPorts, WebSocketClient } from "../src/index.js";
import { browser, page } from "./pages.js";
import { film, ScriptedSocket } from "./scripted-socket.js";

let tabs: TabPorts;

beforeEach(() => {
  ScriptedSocket.all = [];
  tabs = browser();
});

interface Tab {
  client: WebSocketClient;
  received: number[];
  gaps: Gap[];
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 5 });

async function tab(options: ClientOptions = {}): Promise<Tab> {
  const { WebSocketClient } = await page();
  const channels = ["media_updates"];
  const client = new WebSocketClient("token", {
    url: "ws://gateway/ws", channels, fetch: null, WebSocket: ScriptedSocket, tabs, jitter: 0, store: null, ...options,
  });
  const one: Tab = { client, received: [], gaps: [] };
  client.on("media_update", ({ offset }: EventMessage<"media_update">) => one.received.push(offset));
  client.on("gap", (gap) => one.gaps.push(gap));
  client.connect();
  return one;
}

function films(...offsets: number[]): void {
  offsets.forEach((offset) => ScriptedSocket.newest.event("media_update", "media_updates", offset, film(offset)));
}

async function opened(count: number): Promise<Tab[]> {
  const first = await tab();
  await until(() => expect(ScriptedSocket.all).toHaveLength(1));
  ScriptedSocket.newest.accept().subscribed("media_updates");
  const others: Tab[] = [];
  for (let n = 1; n < count; n += 1) {
    others.push(await tab());
  }
  const all = [first, ...others];
  await until(() => all.forEach(({ client }) => expect(client.getConnectionState()).toBe("open")));
  return all;
}

it("three tabs have one socket, and each event reaches each of them once", async () => {
  const all = await opened(3);
  films(0, 1, 2);
  await until(() => all.forEach(({ received }) => expect(received).toEqual([0, 1, 2])));
  expect(ScriptedSocket.all).toHaveLength(1);
  all.forEach(({ client }) => client.disconnect());
});

it("the socket follows a channel as long as one tab does", async () => {
  const [first, second] = (await opened(2)) as [Tab, Tab];
  const requests = (): unknown[] => ScriptedSocket.newest.sent.slice(2).map(({ type, channel }) => [type, channel]);
  second.client.subscribe("asset_updates");
  await until(() => expect(requests()).toEqual([["subscribe", "asset_updates"]]));
  second.client.disconnect();
  await until(() => expect(requests().at(-1)).toEqual(["unsubscribe", "asset_updates"]));
  first.client.disconnect();
});

it("a message of any tab is sent over the socket, and only that tab receives the answer", async () => {
  const [first, second] = (await opened(2)) as [Tab, Tab];
  const received: unknown[] = [];
  first.client.on("pong", () => received.push("first"));
  second.client.on("pong", ({ ref }) => received.push(ref));
  second.client.send({ type: "ping", ref: 7 });
  await until(() => expect(ScriptedSocket.newest.sent.at(-1)).toMatchObject({ type: "ping" }));
  const { ref } = ScriptedSocket.newest.sent.at(-1) as unknown as { ref: unknown };
  ScriptedSocket.newest.deliver({ type: "pong", data: {}, ref, timestamp: "" });
  await until(() => expect(received).toEqual([7]));
  [first, second].forEach(({ client }) => client.disconnect());
});

it("when the tab with the socket closes, another connects and continues at its position; no event is missed or repeated", async () => {
  const [first, second, third] = (await opened(3)) as [Tab, Tab, Tab];
  films(0, 1);
  await until(() => expect(third.received).toEqual([0, 1]));
  first.client.disconnect();
  expect(ScriptedSocket.newest.closedWith?.[0]).toBe(1000);
  await until(() => expect(ScriptedSocket.all).toHaveLength(2));
  ScriptedSocket.newest.accept();
  expect(ScriptedSocket.newest.sent[0]).toMatchObject({ channel: "media_updates", from: { cursor: "media_updates@0" } });
  ScriptedSocket.newest.subscribed("media_updates");
  films(0, 1, 2);
  await until(() => [second, third].forEach(({ received }) => expect(received).toEqual([0, 1, 2])));
  [second, third].forEach(({ client }) => client.disconnect());
});

it("a message that was sent while no tab had the socket is sent by the next tab that has it", async () => {
  const [first, second, third] = (await opened(3)) as [Tab, Tab, Tab];
  first.client.disconnect();
  third.client.send({ type: "ping", timestamp: 9 });
  await until(() => expect(ScriptedSocket.all).toHaveLength(2));
  ScriptedSocket.newest.accept();
  await until(() => expect(ScriptedSocket.newest.sent.filter(({ type }) => type === "ping")).toHaveLength(1));
  [second, third].forEach(({ client }) => client.disconnect());
});

it("messages that the tab with the socket had not sent when it closed are sent by the next, and none twice", async () => {
  const [first, second, third] = (await opened(3)) as [Tab, Tab, Tab];
  const numbers = Array.from({ length: 40 }, (_, n) => n);
  const sent = (): unknown[] => ScriptedSocket.all.flatMap((socket) => socket.sent.flatMap(({ timestamp }) => timestamp ?? []));
  numbers.forEach((timestamp) => third.client.send({ type: "ping", timestamp }));
  await until(() => expect(sent().length).toBeGreaterThan(10)); // the others wait in the queue
  expect(sent().length).toBeLessThan(40);
  first.client.disconnect();
  await until(() => expect(ScriptedSocket.all).toHaveLength(2));
  ScriptedSocket.newest.accept();
  await until(() => expect(sent().length).toBeGreaterThanOrEqual(40));
  expect(sent()).toEqual(numbers);
  [second, third].forEach(({ client }) => client.disconnect());
});

it("a tab that returns with an older position receives what it missed, and the others receive nothing twice", async () => {
  const [first] = (await opened(1)) as [Tab];
  films(0, 1, 2, 3);
  const kept = JSON.stringify({ media_updates: { cursor: "old", epoch: "e", next: { 0: 2 } } });
  const back = await tab({ store: { getItem: () => kept, setItem: () => undefined } });
  await until(() => expect(ScriptedSocket.newest.sent.at(-1)).toMatchObject({ channel: "media_updates", from: { cursor: "old" } }));
  films(4); // arrives before the answer: it must wait for the events in between
  ScriptedSocket.newest.subscribed("media_updates", { 0: 1 });
  films(1, 2, 3, 4, 5);
  await until(() => expect([first.received, back.received]).toEqual([[0, 1, 2, 3, 4, 5], [2, 3, 4, 5]]));
  [first, back].forEach(({ client }) => client.disconnect());
});

it("events that the log no longer has are reported as a gap to the tab that missed them, and to no other", async () => {
  const [first] = (await opened(1)) as [Tab];
  films(0, 1, 2, 3);
  const kept = JSON.stringify({ media_updates: { cursor: "old", epoch: "e", next: { 0: 1 } } });
  const back = await tab({ store: { getItem: () => kept, setItem: () => undefined } });
  await until(() => expect(ScriptedSocket.newest.sent.at(-1)).toMatchObject({ from: { cursor: "old" } }));
  const missed = { 0: { from: 1, to: 3 } };
  ScriptedSocket.newest.subscribed("media_updates", { 0: 3 }, { recovered: false, reason: "retention", missed });
  films(3, 4);
  await until(() => expect(back.received).toEqual([3, 4]));
  expect([first.gaps, back.gaps]).toEqual([[], [{ channel: "media_updates", reason: "retention", missed }]]);
  expect(first.received).toEqual([0, 1, 2, 3, 4]);
  [first, back].forEach(({ client }) => client.disconnect());
});

it("the end of a session is the end in every tab", async () => {
  const all = await opened(2);
  const closed: number[] = [];
  all.forEach(({ client }) => client.on("closed", ({ code }) => closed.push(code)));
  ScriptedSocket.newest.ends(4003, "revoked");
  await until(() => expect(closed).toEqual([4003, 4003]));
  all.forEach(({ client }) => expect(client.getConnectionState()).toBe("closed"));
  ScriptedSocket.all.slice(1).forEach(({ closedWith }) => expect(closedWith?.[0]).toBe(1000)); // connected before it received the end
});

it("pages of different sessions share nothing", async () => {
  const token = (user: number): string => `h.${btoa(JSON.stringify({ user_id: user, session_id: `s${user}` }))}.s`;
  const { WebSocketClient } = await page();
  const clients = [1, 2, 1].map((user) => {
    const client = new WebSocketClient(token(user), { url: "ws://gateway/ws", WebSocket: ScriptedSocket, fetch: null, tabs, store: null });
    client.connect();
    return client;
  });
  await until(() => expect(ScriptedSocket.all).toHaveLength(2));
  clients.forEach((client) => client.disconnect());
});

it("without locks each page has its own socket", async () => {
  tabs = null as unknown as TabPorts;
  const all = [await tab(), await tab()];
  expect(ScriptedSocket.all).toHaveLength(2);
  all.forEach(({ client }) => client.disconnect());
});

/** A page that can be frozen: notes to and from it wait, and so does the loss of its lock. `first`: what happens there first afterwards. */
function freezable(): { ports: TabPorts; freeze: () => void; first: (work: () => void) => void; thaw: () => void } {
  let frozen = false;
  const waiting: (() => void)[] = [];
  const now = (work: () => void): void => void (frozen ? waiting.push(work) : work());
  const locks: TabPorts["locks"] = {
    request: (name, options, work) =>
      new Promise((resolve, reject) => {
        tabs.locks.request(name, options, work).then(resolve, (error: unknown) => now(() => reject(error as Error)));
      }),
  };
  const between: TabPorts["between"] = (name) => {
    const inner = tabs.between(name);
    const outer: ReturnType<TabPorts["between"]> = {
      onmessage: null,
      postMessage: (note) => now(() => inner.postMessage(note)),
      close: () => inner.close(),
    };
    inner.onmessage = (event) => now(() => outer.onmessage?.(event));
    return outer;
  };
  return {
    ports: { locks, between },
    freeze: () => (frozen = true),
    first: (work) => void waiting.unshift(work),
    thaw: () => {
      frozen = false;
      waiting.splice(0).forEach((work) => work());
    },
  };
}

/** Let time pass for the pages, which look at the leader every second, and their notes arrive in between. */
async function pass(seconds: number): Promise<void> {
  for (let quarter = 0; quarter < 4 * seconds; quarter += 1) {
    vi.advanceTimersByTime(250);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a browser freezes tabs", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  async function withFreezable(): Promise<{ first: Tab; second: Tab; third: Tab; first_: ReturnType<typeof freezable> }> {
    const first_ = freezable();
    const first = await tab({ tabs: first_.ports });
    await until(() => expect(ScriptedSocket.all).toHaveLength(1));
    ScriptedSocket.newest.accept().subscribed("media_updates");
    await pass(0.25);
    const second = await tab();
    await pass(0.25);
    const third = await tab();
    await until(() => [second, third].forEach(({ client }) => expect(client.getConnectionState()).toBe("open")));
    films(0, 1);
    await until(() => [first, second, third].forEach(({ received }) => expect(received).toEqual([0, 1])));
    return { first, second, third, first_ };
  }

  it.each([
    ["the loss of the lock", 0],
    ["the end of its socket", 1006],
    ["the end of its token", 4001],
  ])("the tab with the socket: another connects and continues, and no tab misses or repeats anything; it notices %s first", async (_, code) => {
    const { first, second, third, first_ } = await withFreezable();
    const former = ScriptedSocket.newest;
    const ended: number[] = [];
    [second, third].forEach(({ client }) => client.on("closed", (closed) => ended.push(closed.code)));
    first_.freeze();
    await pass(8);
    expect(ScriptedSocket.all).toHaveLength(2);
    ScriptedSocket.newest.accept().subscribed("media_updates", { 0: 2 });
    films(2, 3);
    await until(() => [second, third].forEach(({ received }) => expect(received).toEqual([0, 1, 2, 3])));

    first_.first(() => {
      [2, 3].forEach((offset) => former.event("media_update", "media_updates", offset, film(offset))); // they had waited in its socket
      if (code) {
        former.ends(code);
      }
    });
    const leading = ScriptedSocket.newest;
    first_.thaw();
    await pass(1); // until then it may still believe that it leads
    const there = code === 4001 ? [second, third] : [first, second, third]; // who shows an old token signs in again, as ever
    await until(() => there.forEach(({ client }) => expect(client.getConnectionState()).toBe("open")));
    leading.event("media_update", "media_updates", 4, film(4));
    await until(() => there.forEach(({ received }) => expect(received).toEqual([0, 1, 2, 3, 4])));
    await pass(20);
    expect(leading.closedWith).toBeUndefined();
    expect(there.map(({ client }) => client.getConnectionState())).toEqual(there.map(() => "open"));
    expect(ended).toEqual([]);
    [first, second, third].forEach(({ client }) => client.disconnect());
  });

  it("a message that it had not sent is sent once by the tab that takes over", async () => {
    const { first, second, third, first_ } = await withFreezable();
    const numbers = Array.from({ length: 40 }, (_, n) => n);
    numbers.forEach((timestamp) => first.client.send({ type: "ping", timestamp })); // more than may be sent at once
    const sent = (): unknown[] => ScriptedSocket.all.flatMap((socket) => socket.sent.flatMap(({ timestamp }) => timestamp ?? []));
    expect(sent().length).toBeLessThan(40);
    first_.freeze();
    await pass(9);
    ScriptedSocket.newest.accept().subscribed("media_updates", { 0: 2 });
    first_.thaw();
    await until(() => expect(sent().length).toBeGreaterThanOrEqual(40));
    expect(sent()).toEqual(numbers);
    [first, second, third].forEach(({ client }) => client.disconnect());
  });

  it("a silent leader that answers keeps the socket, however long nothing happens", async () => {
    const { first, second, third } = await withFreezable();
    await pass(60);
    expect(ScriptedSocket.all).toHaveLength(1);
    [first, second, third].forEach(({ client }) => client.disconnect());
  });

  it("a tab that nobody looks at takes no socket from a frozen one until somebody does", async () => {
    const { first, second, third, first_ } = await withFreezable();
    const document = { visibilityState: "hidden" };
    vi.stubGlobal("document", document);
    first_.freeze();
    await pass(30);
    expect(ScriptedSocket.all).toHaveLength(1);
    document.visibilityState = "visible";
    await pass(6);
    expect(ScriptedSocket.all.length).toBeGreaterThan(1);
    first_.thaw();
    [first, second, third].forEach(({ client }) => client.disconnect());
  });

  it("a machine that slept finds its leader again and replaces nobody", async () => {
    const { first, second, third } = await withFreezable();
    for (let times = 0; times < 5; times += 1) {
      vi.setSystemTime(Date.now() + 75_000); // no look was taken meanwhile
      await pass(3);
    }
    expect(ScriptedSocket.all).toHaveLength(1);
    [first, second, third].forEach(({ client }) => client.disconnect());
  });
});
