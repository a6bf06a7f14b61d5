/**
 * The live feed: the latest earlier events, and each new one as it arrives. While the reader has scrolled down or paused the feed,
 * it does not move: new events are counted and shown later.
 */

import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState, useSyncExternalStore } from "react";

import { clearFeed, followed, lineOf, useFeed, type Line } from "../live.js";
import { EventList } from "../parts/event-list.js";
import { Icon } from "../parts/icons.js";
import { Empty } from "../parts/states.js";
import { describe, subjectOf, valueOf } from "../parts/words.js";
import { channels, newestEvents } from "../queries.js";
import { href, replace, useRoute } from "../router.js";
import { useTexts, type Texts } from "../texts/index.js";

const BEFORE = 50;
const ACTIONS = ["created", "updated", "deleted", "analyzed"] as const;
const TOP = 240; // pixels: scrolled less than this counts as at the top

export function LivePage() {
  const { t, language } = useTexts();
  const { params } = useRoute();
  const feed = useFeed();
  const names = followed(useQuery(channels).data ?? []);
  const before = useBefore(names);
  const [cleared, setCleared] = useState(false);
  const [paused, setPaused] = useState<{ total: number; lines: readonly Line[] }>();
  const away = useAway();
  const live = feed.lines;
  const held = useRef({ total: feed.total, lines: live });
  if (!paused && !away) {
    held.current = { total: feed.total, lines: live };
  }
  const now = paused ?? (away ? held.current : { total: feed.total, lines: live });
  const fresh = feed.total - now.total;
  const [channel, action, words, conflate] = ["channel", "action", "words", "conflate"].map((name) => params.get(name) ?? "") as [string, string, string, string];
  const { lines, times } = useMemo(
    () => shownOf(cleared ? [] : before, now.lines, { channel, action, words, conflate: conflate !== "" }, t),
    [before, cleared, now.lines, channel, action, words, conflate, t],
  );
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(params);
    next.delete(name);
    if (value) {
      next.set(name, value);
    }
    replace(href("live", next));
  };
  const clear = (): void => {
    clearFeed();
    setCleared(true);
    setPaused(undefined);
  };
  const filtered = channel !== "" || action !== "" || words !== "";
  return (
    <>
      <div className="title-row">
        <h1>{t.live.title}</h1>
        <div className="actions">
          <button
            type="button"
            className="quiet"
            aria-pressed={paused !== undefined}
            onClick={() => setPaused(paused ? undefined : { total: feed.total, lines: live })}
          >
            <Icon name={paused ? "play" : "pause"} />
            {paused ? t.live.resume : t.live.pause}
          </button>
          <button type="button" className="quiet" onClick={clear}>
            {t.live.clear}
          </button>
        </div>
      </div>
      <div className="bar filters-bar">
        <select id="channel" aria-label={t.live.channel} value={channel} onChange={(event) => set("channel", event.target.value)}>
          <option value="">
            {t.live.channel}: {t.live.any}
          </option>
          {names.map((name) => (
            <option key={name} value={name}>
              {valueOf(name, t)}
            </option>
          ))}
        </select>
        <select aria-label={t.live.action} value={action} onChange={(event) => set("action", event.target.value)}>
          <option value="">
            {t.live.action}: {t.live.any}
          </option>
          {ACTIONS.map((name) => (
            <option key={name} value={name}>
              {String(t.event[name])}
            </option>
          ))}
        </select>
        <input type="search" aria-label={t.live.filter} placeholder={t.live.filter} value={words} onChange={(event) => set("words", event.target.value)} />
        <label className="check">
          <input type="checkbox" checked={conflate !== ""} onChange={(event) => set("conflate", event.target.checked ? "1" : "")} />
          {t.live.conflate}
        </label>
      </div>
      <p className="note" role="status">
        {paused ? t.live.paused(fresh) : null}
      </p>
      <p className="fresh">
        {!paused && away && fresh > 0 && (
          <button type="button" onClick={() => scrollTo({ top: 0 })}>
            {t.live.waiting(fresh)}
          </button>
        )}
      </p>
      {lines.length === 0 ? (
        <Empty help={filtered ? undefined : t.live.emptyHelp}>{filtered ? t.live.nothing : t.live.empty}</Empty>
      ) : (
        <EventList lines={lines} label={t.live.list} times={times} />
      )}
      {feed.total > live.length && live.length > 0 && !cleared && <p className="note">{t.live.kept(live.length.toLocaleString(language))}</p>}
    </>
  );
}

/** The newest events from before the page was opened, of all channels, the oldest first. */
function useBefore(names: readonly string[]): readonly Line[] {
  const answers = useQueries({
    queries: names.map((name) => ({ ...newestEvents(name, BEFORE), staleTime: Infinity, gcTime: 0 })),
    combine: (found) => found.map(({ data }) => data),
  });
  return useMemo(
    () =>
      answers
        .flatMap((page) => page?.events ?? [])
        .map((event) => lineOf(event, false))
        .sort((one, other) => Date.parse(one.at) - Date.parse(other.at)),
    [answers],
  );
}

interface Filters {
  channel: string;
  action: string;
  words: string;
  conflate: boolean;
}

/** The lines that are shown, the newest first, and how many events of the same subject each line stands for. */
function shownOf(before: readonly Line[], live: readonly Line[], filters: Filters, t: Texts): { lines: Line[]; times: Map<string, number> } {
  const known = new Set(live.map(({ id }) => id));
  const all = [...before.filter(({ id }) => !known.has(id)), ...live].filter((line) => passes(line, filters, t)).reverse();
  if (!filters.conflate) {
    return { lines: all, times: new Map() };
  }
  const newest = new Map<string, Line>();
  const times = new Map<string, number>();
  for (const line of all) {
    const name = subjectOf(line);
    const kept = newest.get(name) ?? line;
    newest.set(name, kept);
    times.set(kept.id, (times.get(kept.id) ?? 0) + 1);
  }
  return { lines: [...newest.values()], times };
}

function passes(line: Line, { channel, action, words }: Filters, t: Texts): boolean {
  if (line.kind === "gap") {
    return channel === "" || line.gap.channel === channel; // gaps are never filtered out
  }
  const { event } = line;
  if (channel && event.channel !== channel) {
    return false;
  }
  if (action && (event.type !== "media_update" || event.data.action !== action)) {
    return false;
  }
  if (!words) {
    return true;
  }
  const { subject, about, place } = describe(line, t);
  const text = `${subject} ${about} ${place}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Whether the reader has scrolled down; looked at whenever events are drawn, not only once the browser has reported the scrolling. */
function useAway(): boolean {
  return useSyncExternalStore(onScroll, () => scrollY > TOP);
}

function onScroll(changed: () => void): () => void {
  addEventListener("scroll", changed, { passive: true });
  return () => removeEventListener("scroll", changed);
}
