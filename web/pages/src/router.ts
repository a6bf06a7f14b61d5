/**
 * Addresses of the pages: the part after `#/`. The fragment is never sent to a server, needs no rule of a proxy, and works below
 * any path; each view of a page has an address, so that it can be bookmarked, sent and returned to.
 */

import { useMemo, useSyncExternalStore } from "react";

export interface Route {
  /** `catalogue`, `item`, …; empty: the home page. */
  page: string;
  /** The rest of the path: `["17"]` for `#/item/17`. */
  rest: readonly string[];
  params: URLSearchParams;
}

export type Params = Record<string, string | number | undefined>;

/** The address of a page. Parameters that are empty are left out. */
export function href(path: string, params: Params | URLSearchParams = {}): string {
  const query = new URLSearchParams();
  const entries = params instanceof URLSearchParams ? [...params] : Object.entries(params);
  for (const [name, value] of entries) {
    if (value !== undefined && value !== "") {
      query.append(name, String(value));
    }
  }
  return query.size > 0 ? `#/${path}?${query}` : `#/${path}`;
}

export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/").map(decoded);
  return { page, rest, params: new URLSearchParams(query) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function go(address: string): void {
  location.hash = address;
}

/** Replace the address without a new entry in the browser's history. */
export function replace(address: string): void {
  if (location.hash !== address) {
    history.replaceState(history.state, "", address);
    changed();
  }
}

/**
 * All components that show the address are notified in one event. If each listened to the window itself, React would render one
 * before the next is notified: a part with the new address inside a frame with the old one.
 */
const listeners = new Set<() => void>();

function changed(): void {
  listeners.forEach((listener) => listener());
}

function onRoute(listener: () => void): () => void {
  if (listeners.size === 0) {
    addEventListener("hashchange", changed);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      removeEventListener("hashchange", changed);
    }
  };
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(onRoute, () => location.hash);
  return useMemo(() => routeOf(hash), [hash]);
}
