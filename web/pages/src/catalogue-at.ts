/** The catalogue as it was at a place in a replay: the items of the events up to there, the most recently changed first. */

import type { MediaItem } from "@catalogizer/client";

import type { Line } from "./live.js";

const EVERY = 2_000; // lines between two kept states, to which a step back returns

/**
 * Follows a place in lines. A step forward applies the events in between; a step back returns to a kept state, so that dragging
 * through a long replay costs the same anywhere.
 */
export class CatalogueAt {
  private lines: readonly Line[] = [];
  private place = 0;
  private items = new Map<number, MediaItem>(); // the most recently changed is last
  private kept: { place: number; items: Map<number, MediaItem> }[] = [];

  /** The items after the first `place` lines. The same lines may have become more since the last call. */
  at(lines: readonly Line[], place: number): readonly MediaItem[] {
    if (lines[0] !== this.lines[0]) {
      this.kept = [];
      this.back(0);
    } else if (place < this.place) {
      this.back(place);
    }
    this.lines = lines;
    for (; this.place < place; this.place += 1) {
      if (this.place % EVERY === 0 && this.place > (this.kept.at(-1)?.place ?? 0)) {
        this.kept.push({ place: this.place, items: new Map(this.items) });
      }
      apply(this.items, lines[this.place]);
    }
    return [...this.items.values()].filter((item) => item.belongs_to === undefined || item.belongs_to === null).reverse();
  }

  private back(place: number): void {
    const from = this.kept.findLast((state) => state.place <= place);
    this.place = from?.place ?? 0;
    this.items = new Map(from?.items);
  }
}

function apply(items: Map<number, MediaItem>, line: Line | undefined): void {
  if (line?.kind !== "event" || line.event.type !== "media_update") {
    return;
  }
  const { data } = line.event;
  items.delete(data.media_id); // what is set again is last
  if (data.action !== "deleted") {
    items.set(data.media_id, data.media);
  }
}
