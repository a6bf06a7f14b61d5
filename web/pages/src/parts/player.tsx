/** The timeline of a replay: the density of its events, the position, and playing it at a speed. */

import { useEffect, useMemo, useRef, useState } from "react";

import { exactly } from "../format.js";
import type { Line } from "../live.js";
import { useTexts } from "../texts/index.js";
import { Icon } from "./icons.js";
import { Time } from "./time.js";

const BARS = 120;
const SPEEDS = [1, 10, 60, 600, 3_600] as const;
const TICK_MS = 100;
const LONGEST_PAUSE_MS = 1_000; // without an event, by the reader's clock

interface Played {
  lines: readonly Line[];
  /** How many of them are shown. */
  position: number;
  /** undefined: stay at the end as events arrive. */
  setPosition: (position: number | undefined) => void;
}

export function Player({ lines, position, setPosition }: Played) {
  const { t, language } = useTexts();
  const [speed, setSpeed] = useState<number>(60);
  const [playing, setPlaying] = useState(false);
  const times = useMemo(() => lines.map(({ at }) => Date.parse(at)), [lines]);
  const clock = usePlaying(playing, { times, position, speed, move: setPosition, done: () => setPlaying(false) });
  const [created, deleted] = useMemo(() => countsTo(lines, position), [lines, position]);
  const line = lines[Math.max(0, position - 1)];
  const play = (): void => {
    if (!playing && position >= lines.length) {
      setPosition(0);
      clock.current = undefined;
    }
    setPlaying(!playing);
  };
  return (
    <div className="player card">
      <Density times={times} position={position} pick={setPosition} />
      <input
        type="range"
        min={0}
        max={lines.length}
        value={position}
        aria-label={t.replay.position}
        aria-valuetext={line && `${t.of(position.toLocaleString(language), lines.length.toLocaleString(language))}, ${exactly(new Date(line.at), language)}`}
        onChange={(event) => {
          const to = Number(event.target.value);
          clock.current = undefined;
          setPosition(to === lines.length ? undefined : to);
        }}
      />
      <div className="bar">
        <button type="button" className="quiet small" onClick={play} aria-pressed={playing}>
          <Icon name={playing ? "pause" : "play"} />
          {playing ? t.replay.pause : t.replay.play}
        </button>
        <select aria-label={t.replay.speed} value={speed} onChange={(event) => setSpeed(Number(event.target.value))}>
          {SPEEDS.map((factor) => (
            <option key={factor} value={factor}>
              {t.replay.speeds(factor)}
            </option>
          ))}
        </select>
        <p className="note">
          {t.of(position.toLocaleString(language), t.events(lines.length))}
          {line && (
            <>
              {" · "}
              <Time at={line.at} as="moment" />
            </>
          )}
          {" · "}
          {t.replay.counts(created.toLocaleString(language), deleted.toLocaleString(language))}
        </p>
      </div>
    </div>
  );
}

interface Clock {
  times: readonly number[];
  position: number;
  speed: number;
  move: (position: number | undefined) => void;
  done: () => void;
}

/** Plays events at the intervals of their own times, divided by the speed; long intervals without events are shortened. */
function usePlaying(playing: boolean, clock: Clock): { current: number | undefined } {
  const at = useRef<number>(undefined); // the current time of the replay, in ms since 1970
  const latest = useRef(clock);
  latest.current = clock;
  useEffect(() => {
    if (!playing) {
      at.current = undefined;
      return undefined;
    }
    const timer = setInterval(() => {
      const { times, position, speed, move, done } = latest.current;
      const next = times[position];
      if (next === undefined) {
        move(undefined);
        done();
        return;
      }
      at.current = Math.max((at.current ?? next) + TICK_MS * speed, next - LONGEST_PAUSE_MS * speed);
      let to = position;
      while (to < times.length && (times[to] as number) <= at.current) {
        to += 1;
      }
      if (to !== position) {
        move(to);
      }
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [playing]);
  return at;
}

/** Events over time, as bars; a click moves to that time. */
function Density({ times, position, pick }: { times: readonly number[]; position: number; pick: (position: number) => void }) {
  const { first, step, counts, most } = useMemo(() => densityOf(times), [times]);
  const until = position > 0 ? (times[position - 1] ?? Infinity) : -Infinity;
  const at = (x: number, width: number): void => {
    const moment = first + (x / width) * BARS * step;
    pick(times.filter((time) => time <= moment).length);
  };
  return (
    <svg
      className="density"
      viewBox={`0 0 ${BARS} 40`}
      preserveAspectRatio="none"
      aria-hidden="true"
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        at(event.clientX - box.left, box.width);
      }}
    >
      {counts.map((count, index) =>
        count > 0 ? (
          <rect
            key={index}
            x={index + 0.1}
            width={0.8}
            y={40 - barOf(count, most)}
            height={barOf(count, most)}
            className={first + index * step <= until ? "past" : undefined}
          />
        ) : null,
      )}
    </svg>
  );
}

/** The height of a bar, on a logarithmic scale: few events stay visible beside many. */
function barOf(count: number, most: number): number {
  return 3 + 37 * (Math.log1p(count) / Math.log1p(most));
}

function densityOf(times: readonly number[]): { first: number; step: number; counts: number[]; most: number } {
  let [first, last] = [Infinity, -Infinity];
  for (const time of times) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  const step = Math.max(1, (last - first) / BARS);
  const counts = new Array<number>(BARS).fill(0);
  for (const time of times) {
    const bar = Math.min(BARS - 1, Math.floor((time - first) / step));
    counts[bar] = (counts[bar] ?? 0) + 1;
  }
  return { first, step, counts, most: Math.max(...counts) };
}

function countsTo(lines: readonly Line[], position: number): [created: number, deleted: number] {
  let [created, deleted] = [0, 0];
  for (const line of lines.slice(0, position)) {
    if (line.kind === "event" && line.event.type === "media_update") {
      created += line.event.data.action === "created" ? 1 : 0;
      deleted += line.event.data.action === "deleted" ? 1 : 0;
    }
  }
  return [created, deleted];
}
