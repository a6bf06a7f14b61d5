import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { CLOSE_CODES, PAUSES_MS, WebSocketClient, type ClientOptions, type Closed } from "../src/index.js";
import { ScriptedSocket, film } from "./scripted-socket.js";

const options: ClientOptions = { url: "ws://gateway/ws", share: false, fetch: null, WebSocket: ScriptedSocket, jitter: 0 };

function client(more: ClientOptions = {}): WebSocketClient {
  return new WebSocketClient("token", { ...options, ...more });
}

beforeEach(() => {
  ScriptedSocket.all = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the contract's reconnection", () => {
  it("waits 1, 2, 4, 8, 16 s to the millisecond, and 16 s from then on", () => {
    client().connect();
    for (const pause of [...PAUSES_MS, 16_000, 16_000]) {
      const tried = ScriptedSocket.all.length;
      ScriptedSocket.newest.ends(1006);
      vi.advanceTimersByTime(pause - 1);
      expect(ScriptedSocket.all).toHaveLength(tried);
      vi.advanceTimersByTime(1);
      expect(ScriptedSocket.all).toHaveLength(tried + 1);
    }
  });

  it("starts again at 1 s after a connection that delivered a frame, not after one that was only accepted", () => {
    client().connect();
    ScriptedSocket.newest.ends(1006);
    vi.advanceTimersByTime(1_000);
    ScriptedSocket.newest.accept().ends(1006);
    vi.advanceTimersByTime(1_999);
    expect(ScriptedSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(1);
    ScriptedSocket.newest.accept().subscribed("media_updates").ends(1006);
    vi.advanceTimersByTime(1_000);
    expect(ScriptedSocket.all).toHaveLength(4);
  });

  it("subtracts at most half of a pause at random", () => {
    client({ jitter: 0.5, random: () => 0.9 }).connect();
    ScriptedSocket.newest.ends(1006);
    vi.advanceTimersByTime(549);
    expect(ScriptedSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(ScriptedSocket.all).toHaveLength(2);
  });

  it("is not attempted after `disconnect`, which closes with 1000", () => {
    const one = client();
    one.connect();
    ScriptedSocket.newest.accept();
    one.disconnect();
    expect(ScriptedSocket.newest.closedWith).toEqual([1000, "Client disconnect"]);
    expect(one.getConnectionState()).toBe("closed");
    vi.advanceTimersByTime(60_000);
    expect(ScriptedSocket.all).toHaveLength(1);
  });

  it("is attempted at once when the browser is online again", () => {
    const listeners = new Map<string, () => void>();
    vi.stubGlobal("addEventListener", (name: string, work: () => void) => listeners.set(name, work));
    client().connect();
    ScriptedSocket.newest.ends(1006);
    listeners.get("online")?.();
    vi.unstubAllGlobals();
    expect(ScriptedSocket.all).toHaveLength(2);
  });

  it.each(Object.entries(CLOSE_CODES))("after %i follows the table of close codes", (code, { comeBack, meaning }) => {
    const one = client();
    const closed: Closed[] = [];
    one.on("closed", (end) => closed.push(end));
    one.connect();
    ScriptedSocket.newest.accept().ends(Number(code), "so");
    expect(one.getConnectionState()).toBe(comeBack ? "connecting" : "closed");
    expect(closed).toEqual(comeBack ? [] : [{ code: Number(code), reason: "so", meaning, comeBack: false }]);
    vi.advanceTimersByTime(1_000);
    expect(ScriptedSocket.all).toHaveLength(comeBack ? 2 : 1);
  });

  it("renews a token that was rejected, and ends if there is none", async () => {
    const refused: (string | null)[] = [];
    const answers = ["second", null];
    let token = "first";
    const one = new WebSocketClient(undefined, {
      ...options,
      tokens: {
        current: () => token,
        renew: async (old) => {
          refused.push(old);
          const next = answers.shift() as string | null;
          token = next ?? token;
          return next;
        },
      },
    });
    const closed: number[] = [];
    one.on("closed", ({ code }) => closed.push(code));
    one.connect();
    ScriptedSocket.newest.accept().ends(4002);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ScriptedSocket.newest.protocols).toEqual(["bearer", "second"]);
    ScriptedSocket.newest.accept().ends(4001);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([refused, closed]).toEqual([["first", "second"], [4001]]);
  });

  it("reconnects with the current token if it is not the one that was rejected", () => {
    let token = "first";
    const one = new WebSocketClient(undefined, { ...options, tokens: { current: () => token } });
    one.connect();
    token = "second";
    ScriptedSocket.newest.accept().ends(4001);
    vi.advanceTimersByTime(1_000);
    expect(ScriptedSocket.newest.protocols).toEqual(["bearer", "second"]);
    ScriptedSocket.newest.accept().ends(4001);
    expect(one.getConnectionState()).toBe("closed");
  });

  it("uses the newest token that a client of the page was made with, on the open connection too", () => {
    const claims = btoa(JSON.stringify({ user_id: 1, session_id: "s" }));
    const shared = { ...options, share: true, tabs: null, store: null };
    const [first, second] = ["first", "second"].map((name) => new WebSocketClient(`${name}.${claims}.x`, shared));
    first?.connect();
    ScriptedSocket.newest.accept().subscribed("media_updates");
    second?.connect();
    expect(ScriptedSocket.newest.sent.at(-1)).toEqual({ type: "auth", token: `second.${claims}.x` });
    ScriptedSocket.newest.ends(1012);
    vi.advanceTimersByTime(1_000);
    expect(ScriptedSocket.all.map(({ protocols }) => protocols[1])).toEqual([`first.${claims}.x`, `second.${claims}.x`]);
    [first, second].forEach((one) => one?.disconnect());
  });

  it("uses HTTP, without another pause for a socket, if the constructor of the socket throws", async () => {
    const requests: string[] = [];
    const answer: typeof fetch = async (input) => {
      requests.push(String(input));
      return new Response("", { status: 503 });
    };
    const failing = class extends ScriptedSocket {
      constructor(url: string) {
        super(url);
        throw new DOMException("blocked", "SecurityError");
      }
    };
    const one = client({ WebSocket: failing, fetch: answer });
    one.connect();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(requests).toEqual(Array(5).fill("http://gateway/api/v1/auth/status")); // from the second attempt on: at 1, 3, 7, 15, 31 s
    expect(ScriptedSocket.all).toHaveLength(6);
    one.disconnect();
  });

  it("drops a connection that is silent and does not answer", () => {
    client().connect();
    ScriptedSocket.newest.accept();
    vi.advanceTimersByTime(60_000);
    expect(ScriptedSocket.newest.sent.at(-1)).toEqual({ type: "ping" });
    vi.advanceTimersByTime(15_000);
    expect(ScriptedSocket.newest.closedWith?.[0]).toBe(4000);
    vi.advanceTimersByTime(1_000);
    expect(ScriptedSocket.all).toHaveLength(2);
  });
});

describe("the contract's messages", () => {
  it("subscribes to the three channels whenever it connects, and to the channels that were subscribed to since", () => {
    const one = client();
    one.connect();
    ScriptedSocket.newest.accept();
    const requests = (): unknown[][] => ScriptedSocket.newest.sent.map(({ type, channel }) => [type, channel]);
    const first = ["media_updates", "system_updates", "analysis_updates", "notifications"];
    expect(requests()).toEqual(first.map((name) => ["subscribe", name]));
    one.unsubscribe("system_updates");
    one.subscribe("asset_updates");
    expect(requests().slice(4)).toEqual([
      ["unsubscribe", "system_updates"],
      ["subscribe", "asset_updates"],
    ]);
    ScriptedSocket.newest.ends(1012);
    vi.advanceTimersByTime(1_000);
    ScriptedSocket.newest.accept();
    expect(requests().map(([, name]) => name)).toEqual([
      "media_updates", "analysis_updates", "asset_updates", "notifications",
    ]);
  });

  it("confirms a channel that is subscribed to already to every client", async () => {
    const shared = { ...options, share: true, tabs: null, store: null };
    const [first, second] = [new WebSocketClient("t", shared), new WebSocketClient("t", { ...shared, channels: [] })];
    first.connect();
    ScriptedSocket.newest.accept().subscribed("media_updates");
    const confirmed: string[] = [];
    second.on("subscribed", ({ channel }) => confirmed.push(channel));
    second.connect();
    second.subscribe("media_updates");
    await vi.advanceTimersByTimeAsync(0);
    expect(confirmed).toEqual(["media_updates"]);
    [first, second].forEach((one) => one.disconnect());
  });

  it("queues what is sent while it is not connected, and sends it in order", () => {
    const one = client({ channels: [] });
    one.send({ type: "subscribe", channel: "media_updates" });
    one.send({ type: "ping", timestamp: 1 });
    one.connect();
    one.send({ type: "ping", timestamp: 2 });
    ScriptedSocket.newest.accept();
    expect(ScriptedSocket.newest.sent.map(({ type, channel, timestamp }) => [type, channel ?? timestamp])).toEqual([
      ["subscribe", "media_updates"], ["subscribe", "notifications"], ["ping", 1], ["ping", 2],
    ]);
  });

  it("sends a long queue as fast as the gateway accepts it, and no faster", () => {
    const one = client({ channels: [] });
    for (let n = 0; n < 60; n += 1) {
      one.send({ type: "ping", timestamp: n });
    }
    one.connect();
    ScriptedSocket.newest.accept();
    expect(ScriptedSocket.newest.sent.length).toBeLessThanOrEqual(20);
    vi.advanceTimersByTime(5_000);
    expect(ScriptedSocket.newest.sent.flatMap(({ timestamp }) => timestamp ?? [])).toEqual([...Array(60).keys()]);
  });

  it("returns an answer with the message's ref, and only to its sender", () => {
    const [one, other] = [client(), client()];
    const received: unknown[] = [];
    one.on("pong", ({ ref }) => received.push(ref));
    other.on("pong", () => received.push("other"));
    one.connect();
    ScriptedSocket.newest.accept();
    one.send({ type: "ping", ref: { mine: 1 } });
    const { ref } = ScriptedSocket.newest.sent.at(-1) as unknown as { ref: unknown };
    ScriptedSocket.newest.deliver({ type: "pong", data: {}, ref, timestamp: "" });
    expect(received).toEqual([{ mine: 1 }]);
  });

  it("calls the contract's callbacks for connecting, disconnecting and messages", () => {
    const one = client();
    const calls: unknown[] = [];
    one.setOnConnect(() => calls.push("connect"));
    one.setOnDisconnect(() => calls.push("disconnect"));
    one.setOnMessage(({ type, data }) => calls.push([type, data.media_id ?? data.channel]));
    expect(one.getConnectionState()).toBe("closed");
    one.connect();
    expect(one.getConnectionState()).toBe("connecting");
    ScriptedSocket.newest.accept();
    expect(one.getConnectionState()).toBe("open");
    one.connect();
    ScriptedSocket.newest.subscribed("media_updates").event("media_update", "media_updates", 0, film(42));
    ScriptedSocket.newest.ends(1006);
    expect(calls).toEqual(["connect", ["subscribed", "media_updates"], ["media_update", 42], "disconnect"]);
    expect(ScriptedSocket.all).toHaveLength(1);
  });

  it("sends the token where no log has it, or in the address as the contract does", () => {
    client().connect();
    client({ tokenIn: "query" }).connect();
    expect(ScriptedSocket.all.map(({ url, protocols }) => [url, protocols])).toEqual([
      ["ws://gateway/ws", ["bearer", "token"]],
      ["ws://gateway/ws?token=token", []],
    ]);
  });

  it("refuses options of a subscription that others on the page share", () => {
    const one = new WebSocketClient("token", { ...options, share: true });
    expect(() => one.subscribe("media_updates", { from: "earliest" })).toThrow(TypeError);
  });
});

describe("resuming", () => {
  const froms = (): unknown => Object.fromEntries(ScriptedSocket.newest.sent.map(({ channel, from }) => [channel, from]));

  it("begins live, and continues at the newest cursor after a break; repeated events are dropped", () => {
    const one = client({ channels: ["media_updates"] });
    const received: number[] = [];
    one.on("media_update", ({ offset }) => received.push(offset));
    one.connect();
    ScriptedSocket.newest.accept();
    expect(froms()).toEqual({ media_updates: "live", notifications: "live" });
    ScriptedSocket.newest
      .subscribed("media_updates", { 0: 5 })
      .event("media_update", "media_updates", 5, film(5))
      .deliver({ type: "position", channel: "media_updates", cursor: "later", data: {}, timestamp: "" })
      .event("media_update", "media_updates", 7, film(7))
      .ends(1006);
    vi.advanceTimersByTime(1_000);
    ScriptedSocket.newest.accept();
    expect(froms()).toEqual({ media_updates: { cursor: "later" }, notifications: "live" });
    ScriptedSocket.newest.subscribed("media_updates", { 0: 6 });
    for (const offset of [7, 8]) {
      ScriptedSocket.newest.event("media_update", "media_updates", offset, film(offset));
    }
    expect(received).toEqual([5, 7, 8]);
  });

  it("continues after a reload at the position that the tab stored", () => {
    const kept = new Map<string, string>();
    const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
    client({ store }).connect();
    ScriptedSocket.newest.accept().subscribed("media_updates", { 0: 5 }).event("media_update", "media_updates", 5, film(5));
    vi.advanceTimersByTime(250);
    const received: number[] = [];
    const again = client({ store });
    again.on("media_update", ({ offset }) => received.push(offset));
    again.connect();
    ScriptedSocket.newest.accept().subscribed("media_updates", { 0: 5 });
    for (const offset of [5, 6]) {
      ScriptedSocket.newest.event("media_update", "media_updates", offset, film(offset));
    }
    expect(froms()).toMatchObject({ media_updates: { cursor: "media_updates@5" } });
    expect(received).toEqual([6]);
  });

  it("begins live again in a channel that was unsubscribed from", () => {
    const one = client({ channels: ["media_updates"] });
    one.connect();
    ScriptedSocket.newest.accept().subscribed("media_updates", { 0: 5 });
    one.unsubscribe("media_updates");
    const left = { channel: "media_updates" };
    ScriptedSocket.newest.deliver({ type: "unsubscribed", data: left, ...left, timestamp: "" });
    one.subscribe("media_updates");
    expect(ScriptedSocket.newest.sent.at(-1)).toMatchObject({ channel: "media_updates", from: "live" });
    one.disconnect();
  });

  it("reports missing events: skipped, no longer retained, or after a cursor that was rejected", () => {
    const one = client({ channels: ["media_updates"] });
    const gaps: unknown[] = [];
    one.on("gap", (gap) => gaps.push(gap));
    one.connect();
    const skipped = { channel: "media_updates", partition: 0, from: 5, to: 7, reason: "undecodable" };
    ScriptedSocket.newest
      .accept()
      .subscribed("media_updates", { 0: 5 })
      .deliver({ type: "gap", data: skipped, ...skipped, timestamp: "" })
      .ends(1006);
    vi.advanceTimersByTime(1_000);
    const missed = { 0: { from: 7, to: 9 } };
    ScriptedSocket.newest.accept().subscribed("media_updates", { 0: 9 }, { recovered: false, reason: "retention", missed }).ends(1006);
    vi.advanceTimersByTime(1_000);
    ScriptedSocket.newest.accept();
    const { ref } = ScriptedSocket.newest.sent[0] as unknown as { ref: unknown };
    ScriptedSocket.newest.deliver({ type: "error", data: { code: "bad_cursor", message: "no" }, ref, timestamp: "" });
    expect(ScriptedSocket.newest.sent.at(-1)).toMatchObject({ channel: "media_updates", from: "live" });
    expect(gaps).toEqual([
      { channel: "media_updates", reason: "undecodable", missed: { 0: { from: 5, to: 7 } } },
      { channel: "media_updates", reason: "retention", missed },
      { channel: "media_updates", reason: "bad_cursor", missed: {} },
    ]);
  });

  it("subscribes again to a channel that the gateway could not serve yet", () => {
    client({ channels: ["media_updates"] }).connect();
    ScriptedSocket.newest.accept();
    const before = ScriptedSocket.newest.sent.length;
    const { ref } = ScriptedSocket.newest.sent[0] as unknown as { ref: unknown };
    ScriptedSocket.newest.deliver({ type: "error", data: { code: "unavailable", message: "wait" }, ref, timestamp: "" });
    vi.advanceTimersByTime(2_000);
    expect(ScriptedSocket.newest.sent.slice(before)).toMatchObject([{ type: "subscribe", channel: "media_updates" }]);
  });
});
