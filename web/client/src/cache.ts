/**
 * What events do to a page's query cache: the contract's table. A query is marked stale at once, and again at most once a
 * second while events arrive: each time, every component that shows it requests it from the server.
 */

import type { MediaUpdate } from "./messages.generated.js";
import type { Gap, ServerMessage } from "./protocol.js";

const EVERY_MS = 1_000;

/** The part of React Query's `QueryClient` that is used. */
export interface QueryCache {
  invalidateQueries(filters: { queryKey: readonly unknown[] }): unknown;
  setQueryData(queryKey: readonly unknown[], data: unknown): unknown;
  removeQueries(filters: { queryKey: readonly unknown[] }): unknown;
}

export class CacheUpdates {
  private readonly seen = new WeakSet<object>();
  private readonly waiting = new Map<string, { key: readonly unknown[]; again: boolean }>();

  constructor(private readonly cache: QueryCache) {}

  /** Apply a message once, however many clients of the page received it. */
  apply(message: ServerMessage): void {
    if (this.seen.has(message)) {
      return;
    }
    this.seen.add(message);
    if (message.type === "media_update") {
      this.media(message.data);
    } else if (message.type === "analysis_complete") {
      this.stale("media-search");
      this.stale("media-stats");
    }
  }

  /** Events are missing: everything that they might have changed is marked stale. */
  missed({ channel }: Gap): void {
    if (channel === "media_updates" || channel === "analysis_updates") {
      ["media-search", "media-stats", "recent-media", "media"].forEach((name) => this.stale(name));
    }
  }

  private media(update: MediaUpdate): void {
    const item = ["media", update.media_id];
    switch (update.action) {
      case "created":
        this.stale("media-search");
        this.stale("media-stats");
        this.stale("recent-media");
        break;
      case "updated":
        this.stale("media-search");
        this.cache.setQueryData(item, update.media);
        break;
      case "deleted":
        this.stale("media-search");
        this.stale("media-stats");
        this.cache.removeQueries({ queryKey: item });
        break;
      case "analyzed":
        this.stale(...item);
        break;
      default:
        update satisfies never; // an action of a later gateway
    }
  }

  private stale(...key: readonly unknown[]): void {
    const name = JSON.stringify(key);
    const waiting = this.waiting.get(name);
    if (waiting) {
      waiting.again = true;
      return;
    }
    this.waiting.set(name, { key, again: false });
    void this.cache.invalidateQueries({ queryKey: key });
    setTimeout(() => this.pauseOver(name), EVERY_MS);
  }

  private pauseOver(name: string): void {
    const waiting = this.waiting.get(name);
    this.waiting.delete(name);
    if (waiting?.again) {
      this.stale(...waiting.key);
    }
  }
}
