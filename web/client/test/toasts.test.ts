import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { hotToasts, Toaster, toastOf, type ServerMessage, type Toast, type ToastKind } from "../src/index.js";

function message(type: string, data: object): ServerMessage {
  return { type, data, timestamp: "", channel: "c", partition: 0, offset: 0, id: "i" } as unknown as ServerMessage;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("a healthy component is logged and not shown", () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  expect(toastOf(message("system_update", { component: "smb", status: "healthy", message: "all well" }))).toBeUndefined();
  expect(log).toHaveBeenCalledWith("smb: all well");
  log.mockRestore();
});

it.each([
  [
    message("system_update", { component: "nas", status: "warning", message: "slow" }),
    { kind: "warning", text: "nas warning: slow", durationMs: 6_000 },
  ],
  [message("system_update", { component: "nas", status: "error", message: "lost" }), { kind: "error", text: "nas error: lost" }],
  [message("analysis_complete", { items_processed: 150 }), { kind: "success", text: "Analysis complete for 150 items" }],
  ...(["info", "success", "warning", "error"] as const).map((level) => [
    message("notification", { level, title: "T", message: "M" }),
    { kind: level, text: "M", title: "T" },
  ]) ,
  [message("media_update", { action: "created" }), undefined],
] as [ServerMessage, Toast | undefined][])("the contract's toast %#", (event, toast) => {
  expect(toastOf(event)).toEqual(toast);
});

it("a message that several clients of the page receive is one toast", () => {
  const shown: Toast[] = [];
  const toaster = new Toaster((toast) => shown.push(toast));
  const complete = message("analysis_complete", { items_processed: 1 });
  toaster.tell(complete);
  toaster.tell(complete);
  expect(shown).toHaveLength(1);
});

it("at most five a second are shown; the others become one of the worst kind among them, and all are counted", () => {
  const shown: (Toast & { at: number })[] = [];
  const toaster = new Toaster((toast) => shown.push({ ...toast, at: Date.now() }));
  for (let n = 0; n < 300; n += 1) {
    const kind: ToastKind = n === 250 ? "error" : "info";
    toaster.add({ kind, text: `${n}` });
    vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(2_000);
  for (const { at } of shown) {
    expect(shown.filter((other) => other.at > at - 1_000 && other.at <= at).length).toBeLessThanOrEqual(5);
  }
  const counted = shown.reduce((sum, { text }) => sum + 1 + Number(/and (\d+) more/.exec(text)?.[1] ?? 0), 0);
  expect(counted).toBe(300);
  expect(shown.filter(({ kind }) => kind === "error").map(({ text }) => text)).toEqual([expect.stringMatching(/^250 \(and \d+ more\)$/)]);
});

it("five at once are all shown as they are", () => {
  const shown: string[] = [];
  const toaster = new Toaster(({ text }) => shown.push(text));
  ["a", "b", "c", "d", "e"].forEach((text) => toaster.add({ kind: "info", text }));
  expect(shown).toEqual(["a", "b", "c", "d", "e"]);
});

it("react-hot-toast shows it as the contract's client did", () => {
  const calls: unknown[][] = [];
  const toast = Object.assign((...call: unknown[]) => calls.push(["plain", ...call]), {
    success: (...call: unknown[]) => calls.push(["success", ...call]),
    error: (...call: unknown[]) => calls.push(["error", ...call]),
  });
  const show = hotToasts(toast);
  show({ kind: "warning", text: "w", durationMs: 6_000 });
  show({ kind: "info", text: "i" });
  show({ kind: "success", text: "s" });
  show({ kind: "error", text: "e" });
  expect(calls).toEqual([
    ["plain", "w", { duration: 6_000, icon: "⚠️" }],
    ["plain", "i", { icon: "ℹ️" }],
    ["success", "s", {}],
    ["error", "e", {}],
  ]);
});
