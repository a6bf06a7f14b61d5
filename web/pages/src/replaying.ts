/** A replay: a channel's past events, read in pages, one after the other, in the order of the log. */

import { useCallback, useEffect, useReducer, useRef } from "react";

import type { EventPage } from "./answers.js";
import { ApiError } from "./api.js";
import { lineOf, type Line } from "./live.js";
import { eventsPage } from "./queries.js";

const LIMIT = 1_000;
const AT_ONCE = 5_000; // events; more only on the reader's request

export interface Replay {
  /** In the order of the log. */
  lines: readonly Line[];
  /** The end of the log at the last read: events with these offsets or later are live. */
  head: Readonly<Record<string, number>>;
  state: "reading" | "partly" | "complete" | "failed";
  error: unknown;
  /** Some of the requested events are no longer in the log. */
  lost: boolean;
}

const NOTHING: Replay = { lines: [], head: {}, state: "reading", error: undefined, lost: false };

type Step = { what: "begin" } | { what: "page"; page: EventPage; partly: boolean } | { what: "reading" } | { what: "failed"; error: unknown };

function after(replay: Replay, step: Step): Replay {
  switch (step.what) {
    case "begin":
      return NOTHING;
    case "reading":
      return { ...replay, state: "reading" };
    case "failed":
      return { ...replay, state: "failed", error: step.error };
    case "page": {
      const { page, partly } = step;
      const lines = [...replay.lines, ...linesOf(page)];
      const state = page.complete ? "complete" : partly ? "partly" : "reading";
      return { ...replay, lines, head: page.head, state, lost: replay.lost || !page.recovered };
    }
  }
}

function linesOf(page: EventPage): Line[] {
  const gaps = page.gaps.map(
    ({ timestamp, channel, partition, from, to, reason }): Line => ({
      id: `gap ${partition}:${from}`,
      kind: "gap",
      at: timestamp,
      gap: { channel, reason, missed: { [partition]: { from, to } } },
      replayed: true,
    }),
  );
  return [...gaps, ...page.events.map((event) => lineOf(event, true))];
}

export interface Replaying extends Replay {
  /** Continue reading where it stopped: the next 5 000 events, or all. */
  more(all: boolean): void;
  stop(): void;
}

/** `from`: where it begins, as in the page's address; undefined: there is no replay. */
export function useReplay(channel: string, from: string | undefined): Replaying {
  const [replay, step] = useReducer(after, NOTHING);
  const next = useRef<string>(undefined);
  const reading = useRef<AbortController>(undefined);
  const read = useCallback(
    async (start: string, most: number): Promise<void> => {
      reading.current?.abort();
      const mine = (reading.current = new AbortController());
      let place = start;
      try {
        for (let count = 0; ; ) {
          const page = await eventsPage({ channel, from: place, limit: LIMIT }, mine.signal);
          if (mine.signal.aborted) {
            return;
          }
          place = next.current = page.next;
          count += page.events.length;
          const partly = count >= most;
          step({ what: "page", page, partly });
          if (page.complete || partly) {
            return;
          }
        }
      } catch (error) {
        if (error instanceof ApiError || !mine.signal.aborted) {
          step({ what: "failed", error });
        }
      }
    },
    [channel],
  );
  useEffect(() => {
    step({ what: "begin" });
    if (from !== undefined) {
      void read(from, AT_ONCE);
    }
    return () => reading.current?.abort();
  }, [read, from]);
  const more = (all: boolean): void => {
    step({ what: "reading" });
    void read(next.current ?? from ?? "earliest", all ? Infinity : AT_ONCE);
  };
  const stop = (): void => {
    reading.current?.abort();
    step({ what: "page", page: { ...EMPTY, channel, head: replay.head }, partly: true });
  };
  return { ...replay, more, stop };
}

const EMPTY: EventPage = { channel: "", start: {}, head: {}, recovered: true, events: [], gaps: [], next: "", complete: false };
