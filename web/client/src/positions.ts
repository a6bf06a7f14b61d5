/**
 * A page's position in each channel, and which events are new to the page. Pure: the input is frames, in the order of the
 * stream; the state is plain data.
 *
 * Within a partition, events arrive in the order of their offsets, so `next` (the next offset wanted) separates new events from
 * repeated ones. A cursor may be behind `next`: what a resumed stream delivers again is dropped.
 */

import type { Subscribed } from "./messages.generated.js";

export interface Position {
  cursor: string;
  epoch: string;
  next: Record<string, number>;
}

export class Positions {
  private readonly at: Map<string, Position>;
  private readonly behind = new Set<string>();

  constructor(kept: Record<string, Position> = {}) {
    this.at = new Map(Object.entries(kept));
  }

  /** The data to store over a reload. */
  kept(): Record<string, Position> {
    return Object.fromEntries(this.at);
  }

  cursor(channel: string): string | undefined {
    return this.at.get(channel)?.cursor;
  }

  /** What a `subscribed` frame would contain now, if everything up to here has been delivered; else undefined. */
  standing(channel: string): Pick<Subscribed, "start" | "epoch" | "cursor"> | undefined {
    const at = this.at.get(channel);
    return at && !this.behind.has(channel)
      ? { start: { ...at.next }, epoch: at.epoch, cursor: at.cursor }
      : undefined;
  }

  /**
   * A stream of a channel begins. "taken": it continues at the page's position. "behind": it begins after that position; its
   * events are dropped until it begins again at the position (or reports what is lost for good). "short": the event that the
   * page wanted next is lost.
   */
  begins(frame: Pick<Subscribed, "channel" | "start" | "epoch" | "recovered" | "cursor">): "taken" | "behind" | "short" {
    const before = this.at.get(frame.channel);
    const kept = before?.epoch === frame.epoch ? before.next : {};
    const start = Object.entries(frame.start);
    const beyond = start.some(([partition, offset]) => offset > (kept[partition] ?? offset));
    if (frame.recovered && beyond) {
      this.behind.add(frame.channel);
      return "behind";
    }
    this.behind.delete(frame.channel);
    const next = Object.fromEntries(start.map(([partition, offset]) => [partition, Math.max(offset, kept[partition] ?? 0)]));
    this.at.set(frame.channel, { cursor: frame.cursor, epoch: frame.epoch, next });
    return frame.recovered || (before?.epoch === frame.epoch && !beyond) ? "taken" : "short";
  }

  /** The stream has reached a cursor. */
  reached(channel: string, cursor: string): void {
    const at = this.at.get(channel);
    if (at && !this.behind.has(channel)) {
      at.cursor = cursor;
    }
  }

  /** True if an event is new to this page; it counts as delivered then. */
  admits(event: { channel: string; partition: number; offset: number }): boolean {
    return this.passes(event.channel, event.partition, event.offset, event.offset + 1);
  }

  /** True if a gap is new to this page. If the topic was recreated, its offsets begin anew. */
  skips(gap: { channel: string; partition: number; from: number; to: number | null; reason: string }): boolean {
    const at = this.at.get(gap.channel);
    if (gap.reason === "epoch_changed" && at && !this.behind.has(gap.channel)) {
      at.next = {};
      at.epoch = "";
      return true;
    }
    return this.passes(gap.channel, gap.partition, gap.from, gap.to ?? gap.from);
  }

  forget(channel: string): void {
    this.at.delete(channel);
    this.behind.delete(channel);
  }

  private passes(channel: string, partition: number, from: number, next: number): boolean {
    if (this.behind.has(channel)) {
      return false;
    }
    const at = this.at.get(channel);
    if (!at) {
      return true; // a channel that everybody receives, before it was subscribed to
    }
    if (from < (at.next[partition] ?? 0)) {
      return false;
    }
    at.next[partition] = next;
    return true;
  }
}
