/** Every example of the contract, unchanged, through the client. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { CacheUpdates, toastOf, WebSocketClient, type QueryCache, type ServerMessage } from "../src/index.js";
import { ScriptedSocket } from "./scripted-socket.js";

const folder = new URL("../../../tests/golden/seed/", import.meta.url);
const examples = Object.fromEntries(
  readdirSync(fileURLToPath(folder)).map((name) => [
    name.replace(/\.json$/, ""),
    JSON.parse(readFileSync(new URL(name, folder), "utf8")) as ServerMessage,
  ]),
);

beforeEach(() => {
  ScriptedSocket.all = [];
  vi.spyOn(console, "log").mockReturnValue();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const EXPECTED: Record<string, { toast?: object; cache?: unknown[][] }> = {
  "media_update.created": { cache: [["stale", "media-search"], ["stale", "media-stats"], ["stale", "recent-media"]] },
  "media_update.deleted": { cache: [["stale", "media-search"], ["stale", "media-stats"], ["removed", "media", 42]] },
  "system_update.health_check": {},
  "system_update.storage_update": { toast: { kind: "error", text: "nas-backup error: SMB connection lost to nas-backup" } },
  "system_update.service_status": {
    toast: { kind: "warning", text: "media_analysis warning: Analysis queue backlog detected", durationMs: 6_000 },
  },
  analysis_complete: {
    toast: { kind: "success", text: "Analysis complete for 150 items" },
    cache: [["stale", "media-search"], ["stale", "media-stats"]],
  },
  notification: { toast: { kind: "success", text: "video.mp4 has been converted to mp3", title: "Conversion Complete" } },
};

it("there is one expectation for each example of an event", () => {
  expect(Object.keys(examples).filter((name) => !name.startsWith("client.")).sort()).toEqual(Object.keys(EXPECTED).sort());
});

it.each(Object.entries(EXPECTED))("%s is delivered unchanged, and does what the contract requires", (name, { toast, cache = [] }) => {
  const message = examples[name] as ServerMessage;
  const client = new WebSocketClient("token", { url: "ws://gateway/ws", share: false, fetch: null, WebSocket: ScriptedSocket });
  const received: unknown[] = [];
  client.setOnMessage((one) => received.push(one));
  client.connect();
  ScriptedSocket.newest.accept().deliver(message);
  expect(received).toEqual([message]);
  expect(toastOf(message)).toEqual(toast);

  const calls: unknown[][] = [];
  const recording: QueryCache = {
    invalidateQueries: ({ queryKey }) => calls.push(["stale", ...queryKey]),
    removeQueries: ({ queryKey }) => calls.push(["removed", ...queryKey]),
    setQueryData: (queryKey, data) => calls.push(["set", ...queryKey, data]),
  };
  new CacheUpdates(recording).apply(message);
  vi.advanceTimersByTime(2_000);
  expect(calls).toEqual(cache);
  client.disconnect();
});

it.each(["client.subscribe", "client.unsubscribe"])("%s can be sent, before connecting too", (name) => {
  const message = examples[name] as unknown as { type: string; channel: string };
  const client = new WebSocketClient("token", { url: "ws://gateway/ws", share: false, fetch: null, WebSocket: ScriptedSocket });
  client.send(message);
  client.connect();
  const followed = ScriptedSocket.newest.accept().sent.map(({ channel }) => channel);
  expect(followed.includes(message.channel)).toBe(message.type === "subscribe");
  client.disconnect();
});
