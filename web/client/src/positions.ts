/**
 * Where a page stands in each channel, and which events are new to it. Pure: what comes in is frames, in the order of the
 * stream; what it keeps is plain data.
 *
 * The order of a partition is the stream's, so `next` (the next offset wanted) tells new events from those that came before.
 * A cursor may lie behind `next`: what a resumed stream brings again is dropped.
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

  /** What to keep over a reload. */
  kept(): Record<string, Position> {
    return Object.fromEntries(this.at);
  }

  cursor(channel: string): string | undefined {
    return this.at.get(channel)?.cursor;
  }

  /** A stand-in for the `subscribed` that a page would get now: where everything up to here was delivered. */
  standing(channel: string): Pick<Subscribed, "start" | "epoch" | "cursor"> | undefined {
    const at = this.at.get(channel);
    return at && !this.behind.has(channel)
      ? { start: { ...at.next }, epoch: at.epoch, cursor: at.cursor }
      : undefined;
  }

  /**
   * A stream of a channel begins. "behind": it begins beyond what this page has, and nothing of it counts before it begins
   * where the page stands (or says what is gone for good). "short": what this page wanted next is gone.
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

  /** The stream has come to a cursor. */
  reached(channel: string, cursor: string): void {
    const at = this.at.get(channel);
    if (at && !this.behind.has(channel)) {
      at.cursor = cursor;
    }
  }

  /** True for an event that is new here; it counts as delivered. */
  admits(event: { channel: string; partition: number; offset: number }): boolean {
    return this.passes(event.channel, event.partition, event.offset, event.offset + 1);
  }

  /** True for a gap that is new here. Where the topic is another one now, its offsets begin anew. */
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
      return true; // of a channel that comes to everybody, before it was subscribed to
    }
    if (from < (at.next[partition] ?? 0)) {
      return false;
    }
    at.next[partition] = next;
    return true;
  }
}
