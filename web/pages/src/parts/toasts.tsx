/** Short messages at the edge of the page: results of the reader's actions, notifications, and warnings of the system. */

import type { EventMessage } from "@catalogizer/client";
import { useEffect, useSyncExternalStore } from "react";

import { onEvent } from "../live.js";
import { useTexts } from "../texts/index.js";
import { Icon } from "./icons.js";

const SHOWN_MS = 6_000;
const MAX_SHOWN = 4;

interface Toast {
  id: number;
  kind: string;
  text: string;
}

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  listeners.forEach((listener) => listener());
}

export function toast(text: string, kind = "info"): void {
  const id = (last += 1);
  set([...toasts.slice(1 - MAX_SHOWN), { id, kind, text }]);
  setTimeout(() => drop(id), SHOWN_MS);
}

function drop(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

function showEvent(event: EventMessage): void {
  if (event.type === "notification") {
    toast(`${event.data.title}: ${event.data.message}`, event.data.level);
  } else if (event.type === "system_update" && event.data.status !== "healthy") {
    toast(event.data.message ?? `${event.data.component}: ${event.data.status}`, event.data.status);
  }
}

export function Toasts() {
  const { t } = useTexts();
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  useEffect(() => onEvent(showEvent), []);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, kind, text }) => (
        <div key={id} className="toast" data-kind={kind}>
          <p>
            <bdi>{text}</bdi>
          </p>
          <button type="button" className="plain" aria-label={t.close} onClick={() => drop(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
