/** Pages of one browser in one process: each has its own copy of the library; locks and a channel are between them. */

import { vi } from "vitest";

import type { TabPorts } from "../src/index.js";

type Library = typeof import("../src/index.js");

/** A fresh copy of the library, as a page has it. */
export async function page(): Promise<Library> {
  vi.resetModules();
  return import("../src/index.js");
}

/** Locks that behave like a browser's, one for each name. */
export function locks(): TabPorts["locks"] {
  const last = new Map<string, Promise<unknown>>();
  return {
    request: (name, { signal }, work) => {
      const before = last.get(name) ?? Promise.resolve();
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
      aborted.catch(() => undefined); // it was granted already
      let granted = false;
      const turn = before.then(() => {
        if (!signal.aborted) {
          granted = true;
          return work();
        }
        return undefined;
      });
      last.set(name, turn.catch(() => undefined));
      return Promise.race([turn, aborted.catch((error: unknown) => (granted ? turn : Promise.reject(error as Error)))]);
    },
  };
}

let browsers = 0;

/** What pages of one browser share. */
export function browser(): TabPorts {
  const mine = (browsers += 1);
  return { locks: locks(), between: (name) => new BroadcastChannel(`${mine} ${name}`) as unknown as ReturnType<TabPorts["between"]> };
}
