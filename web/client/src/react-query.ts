/** React Query's cache kept as the events say. */

import type { QueryClient } from "@tanstack/react-query";

import { CacheUpdates } from "./cache.js";
import type { WebSocketClient } from "./client.js";

const updates = new WeakMap<QueryClient, CacheUpdates>();

/** Apply what a client hears to a cache, each event once even where several clients are bound to it. Returns how to stop. */
export function bindQueryClient(client: WebSocketClient, queryClient: QueryClient): () => void {
  const applied = updates.get(queryClient) ?? new CacheUpdates(queryClient);
  updates.set(queryClient, applied);
  const stops = [client.on("message", (message) => applied.apply(message)), client.on("gap", (gap) => applied.missed(gap))];
  return () => stops.forEach((stop) => stop());
}
