/** Keeps React Query's cache up to date from events. */

import type { QueryClient } from "@tanstack/react-query";

import { CacheUpdates } from "./cache.js";
import type { WebSocketClient } from "./client.js";

const updates = new WeakMap<QueryClient, CacheUpdates>();

/** Apply a client's events to a cache, each once even if several clients are bound to it. Returns a function that stops it. */
export function bindQueryClient(client: WebSocketClient, queryClient: QueryClient): () => void {
  const applied = updates.get(queryClient) ?? new CacheUpdates(queryClient);
  updates.set(queryClient, applied);
  const stops = [client.on("message", (message) => applied.apply(message)), client.on("gap", (gap) => applied.missed(gap))];
  return () => stops.forEach((stop) => stop());
}
