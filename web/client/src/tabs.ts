/**
 * One line for all pages of a browser: the page that has the lock, the leader, connects; the others receive and send through it,
 * by a channel between pages. When the leader closes, the next page gets the lock, connects, and continues at its own position.
 *
 * The leader passes all frames on as they arrive, also repeated ones: each page knows its own position and drops what it has had.
 * A page whose position is before the beginning of a stream requests a rewind.
 *
 * A browser may freeze the leader (a tab in the background, a debugger, an endless loop), and it keeps the lock. A page that
 * somebody looks at therefore probes a silent leader, and takes the lock from one that does not answer.
 */

import { Line, type LineEvents, type LineOptions } from "./line.js";
import type { Subscribed } from "./messages.generated.js";
import type { AnswerMessage, Closed, ConnectionState, ServerMessage } from "./protocol.js";

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal } | { steal: true }, work: () => Promise<void>): Promise<unknown>;
}

/** The part of `BroadcastChannel` that is used. */
export interface Between {
  postMessage(note: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

export interface TabPorts {
  locks: Locks;
  between: (name: string) => Between;
}

/** How a page notices that the leader is frozen, in milliseconds. */
export const PATIENCE = {
  /** Between two looks. */
  check: 1_000,
  /** A leader that was silent for this long is probed. */
  quiet: 2_000,
  /** A leader that has not answered a probe after this long is replaced. */
  answer: 3_000,
} as const;

/** The leader's position in a channel's stream, and `said`: the gateway's answer to its subscription. */
export interface Standing extends Pick<Subscribed, "start" | "epoch" | "cursor"> {
  said: AnswerMessage<"subscribed">;
}

export interface UpstreamEvents extends Omit<LineEvents, "frame"> {
  frame(frame: ServerMessage): void;
  /** The leader reports where a stream is; ordered with the frames. */
  stands(standing: Standing): void;
  standing(): Standing[];
}

/** A page's connection to the gateway: its own, or another page's. */
export interface Upstream {
  start(): void;
  stop(): void;
  want(channels: readonly string[]): void;
  send(text: string): void;
  /** Subscribe to a channel again, from an older cursor. */
  rewind(channel: string, cursor: string): void;
  /** Subscribe to a channel again, with the options that `start` returns. */
  again(channel: string): void;
}

/** A line that is not shared. */
export class OwnLine implements Upstream {
  private readonly line: Line;

  constructor(options: LineOptions, on: UpstreamEvents) {
    this.line = new Line(options, { ...linked(on), frame: (_, frame) => on.frame(frame) });
  }

  start(): void {
    this.line.start();
  }

  stop(): void {
    this.line.stop();
  }

  want(channels: readonly string[]): void {
    this.line.want(channels);
  }

  send(text: string): void {
    this.line.send(text);
  }

  rewind(channel: string, cursor: string): void {
    this.line.subscribe(channel, { from: { cursor } });
  }

  again(channel: string): void {
    this.line.subscribe(channel);
  }
}

/**
 * A message between pages. Its names are a format: pages of different releases may be open at once. `term`: when the leader
 * began to lead; a page ignores what leaders of an earlier term than the one it knows still have to say.
 */
type Note =
  | { note: "hello"; from: string; wants: readonly string[] }
  | { note: "bye"; from: string }
  | { note: "lead"; term: number }
  | { note: "welcome"; term: number; to: string; state: ConnectionState; standing: Standing[] }
  | { note: "frame"; term: number; text: string }
  | { note: "state"; term: number; state: ConnectionState }
  | { note: "ended"; term: number; closed: Closed }
  | { note: "probe"; from: string }
  | { note: "probed"; term: number; to: string }
  | { note: "say"; from: string; id: number; text: string }
  | { note: "sent"; to: string; id: number }
  | { note: "rewind"; channel: string; cursor: string };

/** A line that all pages of a browser share. `name`: the name of the lock and of the channel between the pages. */
export class SharedLine implements Upstream {
  private readonly me = crypto.randomUUID();
  private between: Between | undefined;
  private leaving: AbortController | undefined;
  private resign: (() => void) | undefined;
  private line: Line | undefined; // only in the leader
  private state: ConnectionState = "closed";
  private wants: readonly string[] = [];
  private readonly wantsOfOthers = new Map<string, readonly string[]>();
  private readonly unsent = new Map<number, string>(); // messages that no leader has sent yet, by id
  private readonly accepted = new Set<string>(); // messages of other pages that this leader has queued
  private lastId = 0;
  private term = 0; // of the newest leader that is known here, in ms since 1970
  private before: number | undefined; // the term after which this leader got the lock, unless it stole it
  private heard = 0; // when the leader was last heard, in ms since 1970
  private probed: number | undefined; // when it was probed, if it was not heard since
  private checked = 0;
  private checking: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly name: string,
    private readonly ports: TabPorts,
    private readonly options: LineOptions,
    private readonly on: UpstreamEvents,
  ) {}

  start(): void {
    if (this.between) {
      return;
    }
    this.between = this.ports.between(this.name);
    this.between.onmessage = ({ data }) => this.onNote(data as Note);
    this.takeState("connecting");
    this.post({ note: "hello", from: this.me, wants: this.wants });
    this.awaitLock(false);
    this.heard = this.checked = Date.now();
    this.checking = setInterval(() => this.check(), PATIENCE.check);
    globalThis.addEventListener?.("pagehide", this.hidden);
    globalThis.addEventListener?.("pageshow", this.shown);
  }

  stop(): void {
    globalThis.removeEventListener?.("pagehide", this.hidden);
    globalThis.removeEventListener?.("pageshow", this.shown);
    this.leave();
    this.takeState("closed");
  }

  want(channels: readonly string[]): void {
    this.wants = channels;
    if (this.line) {
      this.lineWants();
    } else {
      this.post({ note: "hello", from: this.me, wants: channels });
    }
  }

  send(text: string): void {
    const id = ++this.lastId;
    this.unsent.set(id, text);
    this.sendUnsent(id, text);
  }

  rewind(channel: string, cursor: string): void {
    if (this.line) {
      this.line.subscribe(channel, { from: { cursor } });
    } else {
      this.post({ note: "rewind", channel, cursor });
    }
  }

  again(channel: string): never {
    throw new TypeError(`${channel} is followed by other pages too`);
  }

  /** A page in the back/forward cache must not have the lock. */
  private readonly hidden = (): void => this.leave();
  private readonly shown = (): void => {
    if (!this.between) {
      this.start();
    }
  };

  private leave(): void {
    clearInterval(this.checking);
    this.post({ note: "bye", from: this.me });
    this.leaving?.abort();
    this.stopLeading();
    this.resign?.();
    this.resign = undefined;
    this.between?.close();
    this.between = undefined;
  }

  private stopLeading(): void {
    this.line?.stop();
    this.line = undefined;
    this.wantsOfOthers.clear();
    this.accepted.clear();
  }

  /** Lead once this page has the lock. `steal`: take it from a page that does not answer. */
  private awaitLock(steal: boolean): void {
    this.leaving?.abort();
    const leaving = (this.leaving = new AbortController());
    this.ports.locks
      .request(this.name, steal ? { steal } : { signal: leaving.signal }, () =>
        leaving.signal.aborted ? Promise.resolve() : this.lead(steal),
      )
      .catch((error: unknown) => {
        if (leaving.signal.aborted) {
          return;
        }
        if (this.line) {
          this.deposed();
          this.greet();
        } else {
          this.on.failed(error);
        }
      });
  }

  /** Another page has taken the lock while this one did not answer. */
  private deposed(): void {
    this.stopLeading();
    this.resign = undefined;
    this.takeState("connecting");
    this.awaitLock(false);
  }

  /** Tell the leader what this page follows, and what it has to send. */
  private greet(): void {
    this.post({ note: "hello", from: this.me, wants: this.wants });
    this.unsent.forEach((text, id) => this.sendUnsent(id, text));
  }

  /** Look whether the leader is there. Only for a page that somebody looks at: others would take the lock for nobody. */
  private check(): void {
    const now = Date.now();
    const slept = now - this.checked > 2 * PATIENCE.check; // this page itself: an answer may wait to be read
    this.checked = now;
    if (this.line || slept || globalThis.document?.visibilityState === "hidden") {
      this.heard = 0; // the next look probes
      this.probed = undefined;
    } else if (this.probed !== undefined) {
      if (now - this.probed >= PATIENCE.answer) {
        this.probed = undefined;
        this.heard = now;
        this.awaitLock(true);
      }
    } else if (now - this.heard >= PATIENCE.quiet) {
      this.probed = now;
      this.post({ note: "probe", from: this.me });
    }
  }

  private sendUnsent(id: number, text: string): void {
    if (this.line) {
      this.line.send(text, () => this.unsent.delete(id));
    } else {
      this.post({ note: "say", from: this.me, id, text });
    }
  }

  /** This page has the lock, and keeps it until the returned promise is resolved. */
  private lead(stolen: boolean): Promise<void> {
    this.before = stolen ? undefined : this.term;
    this.term = Math.max(Date.now(), this.term + 1);
    const line = (this.line = new Line(this.options, {
      ...linked(this.on),
      frame: (text, frame) => {
        this.post({ note: "frame", term: this.term, text });
        this.on.frame(frame);
      },
      state: (state) => {
        this.post({ note: "state", term: this.term, state });
        this.takeState(state);
      },
      ended: (closed) => {
        this.post({ note: "ended", term: this.term, closed });
        this.leave();
        this.on.ended(closed);
      },
    }));
    this.post({ note: "lead", term: this.term });
    this.unsent.forEach((text, id) => this.sendUnsent(id, text));
    this.lineWants();
    line.start();
    return new Promise((resolve) => (this.resign = resolve));
  }

  private lineWants(): void {
    this.line?.want([...new Set([...this.wants, ...[...this.wantsOfOthers.values()].flat()])]);
  }

  private onNote(note: Note): void {
    if (this.line) {
      this.onNoteAsLeader(this.line, note);
    } else {
      this.onNoteAsFollower(note);
    }
  }

  private onNoteAsLeader(line: Line, note: Note): void {
    switch (note.note) {
      case "hello":
        this.wantsOfOthers.set(note.from, note.wants);
        this.post({ note: "welcome", term: this.term, to: note.from, state: this.state, standing: this.on.standing() });
        this.lineWants();
        break;
      case "bye":
        this.wantsOfOthers.delete(note.from);
        this.lineWants();
        break;
      case "say":
        if (!this.accepted.has(`${note.from} ${note.id}`)) {
          this.accepted.add(`${note.from} ${note.id}`);
          line.send(note.text, () => this.post({ note: "sent", to: note.from, id: note.id }));
        }
        break;
      case "rewind":
        line.subscribe(note.channel, { from: { cursor: note.cursor } });
        break;
      case "probe":
        this.post({ note: "probed", term: this.term, to: note.from });
        break;
      case "ended": // from the previous leader: this page got its lock before its last note
        if (note.term === this.before) {
          this.leaderEnded(note.closed);
        }
        break;
      case "lead":
        if (note.term > this.term) {
          this.deposed();
          this.onNoteAsFollower(note);
        }
        break;
      default:
    }
  }

  private onNoteAsFollower(note: Note): void {
    if ("term" in note) {
      if (note.term < this.term) {
        return; // it was replaced while it did not answer
      }
      this.term = note.term;
      this.heard = Date.now();
      this.probed = undefined;
    }
    switch (note.note) {
      case "lead":
        this.greet();
        break;
      case "welcome":
        if (note.to === this.me) {
          note.standing.forEach((standing) => this.on.stands(standing));
          this.takeState(note.state);
        }
        break;
      case "frame":
        this.on.frame(JSON.parse(note.text) as ServerMessage);
        break;
      case "state":
        this.takeState(note.state === "closing" || note.state === "closed" ? "connecting" : note.state);
        break;
      case "ended":
        this.leaderEnded(note.closed);
        break;
      case "sent":
        if (note.to === this.me) {
          this.unsent.delete(note.id);
        }
        break;
      default: // for the leader
    }
  }

  private leaderEnded(closed: Closed): void {
    this.leave();
    this.takeState("closed");
    this.on.ended(closed);
  }

  private takeState(state: ConnectionState): void {
    if (state !== this.state) {
      this.state = state;
      this.on.state(state);
    }
  }

  private post(note: Note): void {
    this.between?.postMessage(note);
  }
}

/** The line's events that are passed on unchanged. */
function linked(on: UpstreamEvents): Omit<LineEvents, "frame"> {
  return {
    state: (state) => on.state(state),
    failed: (event) => on.failed(event),
    ended: (closed) => on.ended(closed),
    start: (channel) => on.start(channel),
    startRefused: (channel, why) => on.startRefused(channel, why),
  };
}
