/**
 * The items of a search, however many: pages of answers, each requested with the cursor of the page before. Only the pages near
 * the screen stay in memory; the cursors of all pages do, so that a page that was scrolled past is read again by one request.
 */

import { useQueries } from "@tanstack/react-query";
import { useEffect, useReducer, useRef } from "react";

import type { Item, Page } from "./answers.js";
import { searchPage } from "./queries.js";

export const PAGE = 60;
const FACETS = "media_type,category,year,quality,library,storage_root,genre,language,video_codec,analysis";
const AROUND = 2; // pages before and after the drawn ones that stay in memory

/** How far a search has been read. `cursors[n]`: where page n begins; null: at the beginning. */
interface Depth {
  cursors: (string | null)[];
  sizes: Map<number, number>;
  pages: Map<number, Page>;
  ended: boolean;
}

const depths = new Map<string, Depth>();
const SEARCHES = 12;

function depthOf(search: string): Depth {
  const known = depths.get(search) ?? { cursors: [null], sizes: new Map(), pages: new Map(), ended: false };
  depths.delete(search);
  depths.set(search, known); // the most recently used is last
  for (const old of [...depths.keys()].slice(0, -SEARCHES)) {
    depths.delete(old);
  }
  return known;
}

/** Store a page, the cursor of the next one, and whether it is the last. Returns true if anything changed. */
function take(depth: Depth, number: number, page: Page): boolean {
  if (depth.pages.get(number) === page) {
    return false;
  }
  depth.pages.set(number, page);
  depth.sizes.set(number, page.items.length);
  if (page.next_cursor === null) {
    depth.cursors.length = number + 1;
    depth.ended = true;
  } else {
    depth.cursors[number + 1] = page.next_cursor;
    depth.ended = depth.ended && depth.cursors.length > number + 2;
  }
  return true;
}

export interface Endless {
  /** How many places there are to draw: for items that are known, and for items that are still to be requested. */
  count: number;
  at(index: number): Item | undefined;
  first: Page | undefined;
  error: Error | null;
  fetching: boolean;
  refetch(): void;
}

/** `start`, `end`: the places that are drawn. */
export function useEndless(params: Record<string, string>, start: number, end: number): Endless {
  const search = JSON.stringify(params);
  const depth = depthOf(search);
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  const shown = useRef<Page>(undefined);
  const from = Math.max(0, Math.floor(start / PAGE));
  const to = Math.min(depth.cursors.length - 1, Math.floor(Math.max(start, end - 1) / PAGE));
  const numbers = [...new Set([0, ...range(from, to)])];
  const answers = useQueries({
    queries: numbers.map((number) => searchPage(params, depth.cursors[number] ?? null, PAGE, number === 0 ? FACETS : "")),
  });
  const pages = answers.map(({ data }) => data);
  useEffect(() => {
    let changed = false;
    numbers.forEach((number, index) => {
      const page = pages[index];
      changed = (page !== undefined && take(depth, number, page)) || changed;
    });
    for (const number of [...depth.pages.keys()]) {
      if (number !== 0 && (number < from - AROUND || number > to + AROUND)) {
        depth.pages.delete(number);
      }
    }
    if (changed) {
      redraw();
    }
  });
  // while the user types, the last result stays until there is a new one
  shown.current = depth.pages.get(0) ?? (answers[0]?.error ? undefined : shown.current);
  const first = shown.current;
  const failed = answers.find(({ error, data }) => error && !data);
  return {
    count: countOf(depth, first),
    at: (index) => (depth.pages.get(Math.floor(index / PAGE)) ?? (index < PAGE ? first : undefined))?.items[index % PAGE],
    first,
    error: failed?.error ?? null,
    fetching: answers.some(({ isFetching }) => isFetching),
    refetch: () => answers.forEach((answer) => void answer.refetch()),
  };
}

function countOf(depth: Depth, first: Page | undefined): number {
  const last = depth.cursors.length - 1;
  const known = last * PAGE + (depth.sizes.get(last) ?? (last === 0 ? (first?.items.length ?? 0) : PAGE));
  return depth.ended || !first?.total_is_exact || depth.pages.get(0) === undefined ? known : Math.min(known, Math.max(first.total, last * PAGE));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
