// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, StrictMode, useEffect, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Toast } from "../src/index.js";
import { useWebSocket, WebSocketProvider, type WebSocketHook } from "../src/react.js";
import { film, ScriptedSocket } from "./scripted-socket.js";

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

const toasts: Toast[] = [];
const toast = (one: Toast): number => toasts.push(one);

let hooks: WebSocketHook[] = [];

function Component(): ReactNode {
  const hook = useWebSocket();
  hooks.push(hook);
  useEffect(() => hook.connect(), [hook]);
  return null;
}

function page(queryClient: QueryClient, count: number): ReactNode {
  return (
    <StrictMode>
      <WebSocketProvider url="ws://gateway/ws" token="token" WebSocket={ScriptedSocket} fetch={null} tabs={null} toast={toast}>
        <QueryClientProvider client={queryClient}>
          {Array.from({ length: count }, (_, n) => (
            <Component key={`${count}-${n}`} />
          ))}
        </QueryClientProvider>
      </WebSocketProvider>
    </StrictMode>
  );
}

beforeEach(() => {
  ScriptedSocket.all = [];
  toasts.length = 0;
  hooks = [];
  sessionStorage.clear();
});
afterEach(() => void vi.useRealTimers());

async function rendered(count: number): Promise<{ queryClient: QueryClient; show: (count: number) => Promise<void> }> {
  const queryClient = new QueryClient();
  const root = createRoot(document.createElement("div"));
  const show = (n: number): Promise<void> => act(async () => root.render(page(queryClient, n)));
  await show(count);
  return { queryClient, show };
}

it("all components of a page have one socket, which stays open while one of them is mounted", async () => {
  const { show } = await rendered(3);
  expect(ScriptedSocket.all).toHaveLength(1);
  ScriptedSocket.newest.accept();
  expect(hooks.at(-1)?.getConnectionState()).toBe("open");
  await show(2); // other components instead of these
  expect([ScriptedSocket.all.length, ScriptedSocket.newest.closedWith]).toEqual([1, undefined]);
  await show(0);
  expect(ScriptedSocket.newest.closedWith).toEqual([1000, "Client disconnect"]);
});

it("gives the contract's functions, the same at every render", async () => {
  const { show } = await rendered(1);
  const before = hooks.at(-1);
  await show(1);
  expect(hooks.at(-1)).toBe(before);
  expect(Object.keys(before ?? {})).toEqual(
    expect.arrayContaining(["connect", "disconnect", "send", "subscribe", "unsubscribe", "getConnectionState"]),
  );
  before?.disconnect();
  expect(before?.getConnectionState()).toBe("closed");
  await show(0);
});

it("updates the cache by the contract's table, and shows a toast once for all components", async () => {
  vi.useFakeTimers();
  const { queryClient, show } = await rendered(2);
  const calls: unknown[][] = [];
  vi.spyOn(queryClient, "invalidateQueries").mockImplementation(async (filters) => void calls.push(["stale", filters?.queryKey]));
  const socket = ScriptedSocket.newest.accept().subscribed("media_updates").subscribed("analysis_updates");
  const did = (work: () => void): unknown[] => {
    calls.length = 0;
    work();
    vi.advanceTimersByTime(2_000);
    return calls.map(([what, key]) => [what, ...(key as unknown[])]);
  };
  const item = { id: 42, title: "The Matrix", media_type: "video" };
  const update = (offset: number, action: string): void =>
    void socket.event("media_update", "media_updates", offset, { action, media_id: 42, media: item });

  expect(did(() => update(0, "created"))).toEqual([["stale", "media-search"], ["stale", "media-stats"], ["stale", "recent-media"]]);
  expect(did(() => update(1, "updated"))).toEqual([["stale", "media-search"]]);
  expect(queryClient.getQueryData(["media", 42])).toEqual(item);
  expect(did(() => update(2, "deleted"))).toEqual([["stale", "media-search"], ["stale", "media-stats"]]);
  expect(queryClient.getQueryData(["media", 42])).toBeUndefined();
  expect(did(() => update(3, "analyzed"))).toEqual([["stale", "media", 42]]);
  expect(did(() => socket.event("analysis_complete", "analysis_updates", 0, { items_processed: 7 }))).toEqual([
    ["stale", "media-search"], ["stale", "media-stats"],
  ]);
  expect(toasts).toEqual([{ kind: "success", text: "Analysis complete for 7 items" }]);
  await show(0);
});

it("requests a query again once a second while events arrive, and once after the last", async () => {
  vi.useFakeTimers();
  const { queryClient, show } = await rendered(1);
  const stale = vi.spyOn(queryClient, "invalidateQueries").mockResolvedValue();
  const socket = ScriptedSocket.newest.accept().subscribed("media_updates");
  for (let offset = 0; offset < 1_000; offset += 1) {
    socket.event("media_update", "media_updates", offset, film(offset));
    vi.advanceTimersByTime(3);
  }
  vi.advanceTimersByTime(2_000);
  const searches = stale.mock.calls.filter(([filters]) => filters?.queryKey?.[0] === "media-search");
  expect(searches.length).toBe(4); // at 0, 1 and 2 s, and after the last at 3 s
  await show(0);
});

it("marks everything that events change as stale if events are missing", async () => {
  const { queryClient, show } = await rendered(1);
  const stale = vi.spyOn(queryClient, "invalidateQueries").mockResolvedValue();
  const gap = { channel: "media_updates", partition: 0, from: 5_000, to: 5_003, reason: "undecodable" };
  ScriptedSocket.newest.accept().subscribed("media_updates").deliver({ type: "gap", data: gap, ...gap, timestamp: "" });
  expect(stale.mock.calls.map(([filters]) => filters?.queryKey?.[0])).toEqual(["media-search", "media-stats", "recent-media", "media"]);
  await show(0);
});
