/** A time: how long ago as text, exact on hover and for programs. All times of a page are updated together. */

import { useSyncExternalStore } from "react";

import { ago, exactly, moment } from "../format.js";
import { useTexts } from "../texts/index.js";

const TICK_MS = 15_000;

let now = Date.now();
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

function onTick(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    now = Date.now();
    listeners.forEach((one) => one());
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** `at`: ISO 8601. `as`: `ago` (the default), or date and time. */
export function Time({ at, as = "ago" }: { at: string; as?: "ago" | "moment" }) {
  const { language } = useTexts();
  const current = useSyncExternalStore(onTick, () => now);
  const date = new Date(at);
  if (Number.isNaN(date.valueOf())) {
    return <time>{at}</time>;
  }
  const shown = as === "ago" ? ago(date, Math.max(current, Date.now() - TICK_MS), language) : moment(date, language);
  return (
    <time dateTime={at} title={exactly(date, language)}>
      {shown}
    </time>
  );
}
