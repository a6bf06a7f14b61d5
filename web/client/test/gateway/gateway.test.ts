import { expect, it } from "vitest";

import { Session, WebSocketClient, type Closed, type Gap } from "../../src/index.js";
import { browser, locks, page } from "../pages.js";
import { connected, control, CountedSocket, here, pour, shorten, signedIn, Socket, storage, until, type Received } from "./world.js";

it("a gateway that is killed and comes back: no event is lost or repeated, and all channels are subscribed to again", async () => {
  const tokens = await signedIn();
  const { client, films } = await connected(WebSocketClient, { tokens });
  const before = await pour(20);
  await until(() => expect(films).toHaveLength(20));
  await control("kill");
  const away = await pour(20);
  await control("start");
  await until(() => expect(films).toHaveLength(40));
  const after = await pour(20);
  await until(() => expect(films.length).toBeGreaterThanOrEqual(60));
  expect(films).toEqual([...before, ...away, ...after]);
  client.disconnect();
});

it("tabs share one socket; when its tab closes while events arrive, the others lose and repeat none", async () => {
  const tokens = await signedIn();
  const tabs = browser();
  const before = CountedSocket.count;
  const all: Received[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { WebSocketClient: copy } = await page();
    all.push(await connected(copy as typeof WebSocketClient, { tokens, tabs }));
  }
  expect(CountedSocket.count - before).toBe(1);
  const first = await pour(10);
  const pouring = pour(100);
  all[0]?.client.disconnect();
  const poured = [...first, ...(await pouring), ...(await pour(10))];
  await until(() => all.slice(1).forEach(({ films }) => expect(films).toHaveLength(120)));
  all.slice(1).forEach(({ films }) => expect(films).toEqual(poured));
  expect(CountedSocket.count - before).toBe(2);
  all.forEach(({ client }) => client.disconnect());
});

it("a token that expires soon is renewed on the open socket", async () => {
  const tokens = await signedIn();
  await shorten(tokens, 4);
  const before = CountedSocket.count;
  const { client, films } = await connected(WebSocketClient, { tokens });
  const short = tokens.current();
  await new Promise<void>((resolve) => client.on("authenticated", () => resolve()));
  expect(tokens.current()).not.toBe(short);
  const poured = await pour(3);
  await until(() => expect(films).toEqual(poured));
  expect(CountedSocket.count - before).toBe(1);
  client.disconnect();
});

it("a token that has expired is renewed, and the client comes back with the new one", async () => {
  const tokens = await signedIn();
  await shorten(tokens, -3_600);
  const { client } = await connected(WebSocketClient, { tokens });
  expect(client.getConnectionState()).toBe("open");
  client.disconnect();
});

it("tabs that renew at once use the refresh token once, and share what one of them got", async () => {
  const kept = storage();
  const first = await signedIn({ storage: kept });
  await shorten(first, -3_600);
  const old = first.kept;
  const requests: string[] = [];
  const counting: typeof fetch = (input, init) => {
    requests.push(String(input));
    return fetch(input, init);
  };
  const turns = locks() as unknown as LockManager;
  const tabs = [1, 2, 3].map(() => new Session({ api: here.api, storage: kept, locks: turns, fetch: counting }));
  const renewed = await Promise.all(tabs.map((tab) => tab.renew(tab.current())));
  expect(requests).toEqual([`${here.api}/auth/refresh`]);
  expect(new Set(renewed)).toEqual(new Set([kept.getItem("catalogizer.session") && first.kept?.token]));
  expect(first.kept?.refresh).not.toBe(old?.refresh);
});

it("an invalid token ends the connection for good, and so does a session that was ended elsewhere", async () => {
  const closed: Closed[] = [];
  const bad = new WebSocketClient("no token", { ...here, WebSocket: Socket, tabs: null, store: null });
  bad.on("closed", (end) => closed.push(end));
  bad.connect();
  await until(() => expect(closed.map(({ code }) => code)).toEqual([4001]));
  expect(bad.getConnectionState()).toBe("closed");

  const tokens = await signedIn();
  const other = await connected(WebSocketClient, { tokens });
  other.client.on("closed", (end) => closed.push(end));
  await fetch(`${here.api}/auth/logout`, { method: "POST", headers: { Authorization: `Bearer ${tokens.current()}` } });
  await until(() => expect(closed.map(({ code }) => code)).toEqual([4001, 4003]));
  expect(tokens.current()).toBeNull();
});

it("a queued message is sent when the connection opens, and its sender receives the answer", async () => {
  const client = new WebSocketClient(undefined, { ...here, tokens: await signedIn(), WebSocket: Socket, tabs: null, store: null });
  const refs: unknown[] = [];
  client.on("pong", ({ ref }) => refs.push(ref));
  client.send({ type: "ping", ref: "early" });
  client.connect();
  await until(() => expect(refs).toEqual(["early"]));
  client.disconnect();
});

it("a replay with a client of its own begins and ends where it was requested", async () => {
  const tokens = await signedIn();
  const poured = await pour(5);
  const client = new WebSocketClient(undefined, { ...here, tokens, share: false, WebSocket: Socket, channels: [] });
  const films: number[] = [];
  client.on("media_update", ({ data }) => films.push(data.media_id));
  const complete = new Promise<string | undefined>((resolve) => client.on("unsubscribed", ({ reason }) => resolve(reason)));
  client.subscribe("media_updates", { from: { last: 5 }, until: "head" });
  client.connect();
  expect(await complete).toBe("complete");
  expect(films).toEqual(poured);
  client.disconnect();
});

it("events that cannot be delivered are reported as a gap", async () => {
  const { client, films } = await connected(WebSocketClient, { tokens: await signedIn() });
  const gaps: Gap[] = [];
  client.on("gap", (gap) => gaps.push(gap));
  await control("broken");
  const poured = await pour(1);
  await until(() => expect(films).toEqual(poured));
  expect(gaps).toMatchObject([{ channel: "media_updates", reason: "undecodable" }]);
  client.disconnect();
});

it("where no WebSocket is let through, channels are read over HTTP, and continue after a restart without loss", async () => {
  const tokens = await signedIn();
  const blocked = class {
    onclose: ((event: CloseEvent) => void) | null = null;
    onopen = null;
    onmessage = null;
    onerror = null;
    constructor() {
      queueMicrotask(() => this.onclose?.({ code: 1006, reason: "" } as CloseEvent));
    }
    send(): void {}
    close(): void {}
  };
  const { client, films } = await connected(WebSocketClient, { tokens, WebSocket: blocked });
  const before = await pour(10);
  await until(() => expect(films).toHaveLength(10));
  await control("stop");
  const away = await pour(10);
  await control("start");
  const after = await pour(10);
  await until(() => expect(films.length).toBeGreaterThanOrEqual(30));
  expect(films).toEqual([...before, ...away, ...after]);
  client.disconnect();
});

it("a stream over HTTP ends when its token expires, and continues with the next", async () => {
  const tokens = await signedIn();
  await shorten(tokens, 2);
  const short = tokens.current();
  const { client, films, states } = await connected(WebSocketClient, { tokens, WebSocket: null });
  await until(() => expect(states.filter((state) => state === "open")).toHaveLength(2));
  expect(tokens.current()).not.toBe(short);
  const poured = await pour(3);
  await until(() => expect(films).toEqual(poured));
  client.disconnect();
});
