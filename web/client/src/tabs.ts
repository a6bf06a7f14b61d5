/**
 * One line for all pages of a browser: the page that has the lock, the leader, connects; the others receive and send through it,
 * by a channel between pages. When the leader closes, the next page gets the lock, connects, and continues at its own position.
 *
 * The leader passes all frames on as they arrive, also repeated ones: each page knows its own position and drops what it has had.
 * A page whose position is before the beginning of a stream requests a rewind.
 */

import { Line, type LineEvents, type LineOptions } from "./line.js";
import type { Subscribed } from "./messages.generated.js";
import type { AnswerMessage, Closed, ConnectionState, ServerMessage } from "./protocol.js";

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal }, work: () => Promise<void>): Promise<unknown>;
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

/** A message between pages. Its names are a format: pages of different releases may be open at once. */
type Note =
  | { note: "hello"; from: string; wants: readonly string[] }
  | { note: "bye"; from: string }
  | { note: "lead" }
  | { note: "welcome"; to: string; state: ConnectionState; standing: Standing[] }
  | { note: "frame"; text: string }
  | { note: "state"; state: ConnectionState }
  | { note: "ended"; closed: Closed }
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
    const leaving = (this.leaving = new AbortController());
    this.ports.locks
      .request(this.name, { signal: leaving.signal }, () => (leaving.signal.aborted ? Promise.resolve() : this.lead()))
      .catch((error: unknown) => leaving.signal.aborted || this.on.failed(error));
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
    if (this.line) {
      this.line.send(text);
      return;
    }
    const id = ++this.lastId;
    this.unsent.set(id, text);
    this.post({ note: "say", from: this.me, id, text });
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
    this.post({ note: "bye", from: this.me });
    this.leaving?.abort();
    this.line?.stop();
    this.line = undefined;
    this.resign?.();
    this.resign = undefined;
    this.wantsOfOthers.clear();
    this.accepted.clear();
    this.between?.close();
    this.between = undefined;
  }

  /** This page has the lock, and keeps it until the returned promise is resolved. */
  private lead(): Promise<void> {
    const line = (this.line = new Line(this.options, {
      ...linked(this.on),
      frame: (text, frame) => {
        this.post({ note: "frame", text });
        this.on.frame(frame);
      },
      state: (state) => {
        this.post({ note: "state", state });
        this.takeState(state);
      },
      ended: (closed) => {
        this.post({ note: "ended", closed });
        this.leave();
        this.on.ended(closed);
      },
    }));
    this.post({ note: "lead" });
    this.unsent.forEach((text) => line.send(text));
    this.unsent.clear();
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
        this.post({ note: "welcome", to: note.from, state: this.state, standing: this.on.standing() });
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
      case "ended": // from the previous leader: this page got its lock before its last note
        this.leaderEnded(note.closed);
        break;
      default:
    }
  }

  private onNoteAsFollower(note: Note): void {
    switch (note.note) {
      case "lead":
        this.post({ note: "hello", from: this.me, wants: this.wants });
        this.unsent.forEach((text, id) => this.post({ note: "say", from: this.me, id, text }));
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
