/** Pages of one browser in one process: each has its own copy of the library; locks and a channel are between them. */

import { vi } from "vitest";

import type { TabPorts } from "../src/index.js";

type Library = typeof import("../src/index.js");

/** A fresh copy of the library, as a page has it. */
export async function page(): Promise<Library> {
  vi.resetModules();
  return import("../src/index.js");
}

/** One request for a lock; it ends with its work, or with an error when it is aborted or its lock stolen. */
class Request {
  readonly ended: Promise<unknown>;
  private end: { resolve: (value: unknown) => void; reject: (reason: unknown) => void } | undefined;

  constructor(private readonly work: () => Promise<unknown>) {
    this.ended = new Promise((resolve, reject) => (this.end = { resolve, reject }));
  }

  grant(): Promise<void> {
    return this.work().then((value) => this.end?.resolve(value), (reason: unknown) => this.end?.reject(reason));
  }

  fail(reason: unknown): void {
    this.end?.reject(reason);
  }
}

/** Locks that behave like a browser's, one for each name. */
export function locks(): TabPorts["locks"] {
  const holders = new Map<string, Request>();
  const queues = new Map<string, Request[]>();

  const hold = (name: string, request: Request): void => {
    holders.set(name, request);
    void request.grant().then(() => {
      if (holders.get(name) === request) {
        holders.delete(name);
        next(name);
      }
    });
  };
  const next = (name: string): void => {
    const request = holders.has(name) ? undefined : queues.get(name)?.shift();
    if (request) {
      hold(name, request);
    }
  };
  return {
    request: (name, options, work) => {
      const request = new Request(work);
      if ("steal" in options) {
        holders.get(name)?.fail(new DOMException("the lock was stolen", "AbortError"));
        hold(name, request);
        return request.ended;
      }
      const queue = queues.get(name) ?? [];
      queues.set(name, [...queue, request]);
      options.signal.addEventListener("abort", () => {
        const waiting = queues.get(name) ?? [];
        if (waiting.includes(request)) {
          queues.set(name, waiting.filter((other) => other !== request));
          request.fail(options.signal.reason);
        }
      });
      queueMicrotask(() => next(name)); // a lock is never granted at once
      return request.ended;
    },
  };
}

let browsers = 0;

/** What pages of one browser share. */
export function browser(): TabPorts {
  const mine = (browsers += 1);
  return { locks: locks(), between: (name) => new BroadcastChannel(`${mine} ${name}`) as unknown as ReturnType<TabPorts["between"]> };
}
