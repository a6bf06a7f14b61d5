/**
 * Which events become toasts, and how many are shown: at most five a second; the others are combined into one.
 */

import type { ServerMessage } from "./protocol.js";

export type ToastKind = "info" | "success" | "warning" | "error";

/** `durationMs`: how long it is shown; undefined: as long as the toast library shows one. */
export interface Toast {
  kind: ToastKind;
  text: string;
  title?: string;
  durationMs?: number;
}

export type ShowToast = (toast: Toast) => void;

const WARNING_MS = 6_000;
const MAX_SHOWN = 5;
const WITHIN_MS = 1_000;
const WORSE: readonly ToastKind[] = ["info", "success", "warning", "error"];

/** The toast for a message; undefined if it has none. */
export function toastOf(message: ServerMessage): Toast | undefined {
  switch (message.type) {
    case "system_update": {
      const { component, status, message: text = status } = message.data;
      if (status === "healthy") {
        console.log(`${component}: ${text}`);
        return undefined;
      }
      return status === "warning"
        ? { kind: "warning", text: `${component} warning: ${text}`, durationMs: WARNING_MS }
        : { kind: "error", text: `${component} error: ${text}` };
    }
    case "analysis_complete":
      return { kind: "success", text: `Analysis complete for ${message.data.items_processed} items` };
    case "notification": {
      const { level, title, message: text } = message.data;
      return { kind: level, text, title };
    }
    default:
      return undefined;
  }
}

/** Shows at most five toasts in any second; the others become one, with the worst kind among them and the newest text of that kind. */
export class Toaster {
  private readonly shown: number[] = [];
  private readonly seen = new WeakSet<object>();
  private heldBack: Toast[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly show: ShowToast) {}

  /** Show the toast of a message once, however many clients of the page received it. */
  tell(message: ServerMessage): void {
    if (!this.seen.has(message)) {
      this.seen.add(message);
      const toast = toastOf(message);
      if (toast) {
        this.add(toast);
      }
    }
  }

  add(toast: Toast): void {
    const now = Date.now();
    while (this.shown.length > 0 && (this.shown[0] as number) <= now - WITHIN_MS) {
      this.shown.shift();
    }
    // the toasts that are held back are shown as one when there is a free place
    if (this.heldBack.length === 0 && this.shown.length < MAX_SHOWN) {
      this.showNow(toast, now);
      return;
    }
    this.heldBack.push(toast);
    this.timer ??= setTimeout(() => this.showHeldBack(), (this.shown[0] ?? now) + WITHIN_MS - now);
  }

  private showHeldBack(): void {
    this.timer = undefined;
    const [first, ...more] = this.heldBack.splice(0) as [Toast, ...Toast[]];
    if (more.length === 0) {
      this.showNow(first, Date.now());
      return;
    }
    const kind = WORSE.findLast((one) => first.kind === one || more.some((toast) => toast.kind === one)) as ToastKind;
    const newest = [first, ...more].findLast((toast) => toast.kind === kind) as Toast;
    this.showNow({ ...newest, text: `${newest.text} (and ${more.length} more)` }, Date.now());
  }

  private showNow(toast: Toast, now: number): void {
    this.shown.push(now);
    this.show(toast);
  }
}

/** The interface of react-hot-toast, which other libraries have too. */
export interface HotToast {
  (text: string, options?: { icon?: string; duration?: number }): unknown;
  success(text: string, options?: { duration?: number }): unknown;
  error(text: string, options?: { duration?: number }): unknown;
}

/** Show toasts by such a library. */
export function hotToasts(toast: HotToast): ShowToast {
  return ({ kind, text, durationMs }) => {
    const options = durationMs === undefined ? {} : { duration: durationMs };
    switch (kind) {
      case "success":
        return void toast.success(text, options);
      case "error":
        return void toast.error(text, options);
      case "warning":
        return void toast(text, { ...options, icon: "⚠️" });
      default:
        return void toast(text, { ...options, icon: "ℹ️" });
    }
  };
}
