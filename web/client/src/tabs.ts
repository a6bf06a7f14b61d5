/**
 * One line for all pages of a browser: the page that has the lock dials, the others hear and speak through it by a channel
 * between pages. When it goes, the next in line has the lock, dials, and goes on where it stood.
 *
 * The leader passes the frames on as they come, before anybody drops those that came before: each page knows itself where it
 * stands. A page that finds that it stands further back than the stream begins asks for a rewind.
 */

import { Line, type LineEvents, type LineOptions } from "./line.js";
import type { Subscribed } from "./messages.generated.js";
import type { AnswerMessage, Closed, ConnectionState, ServerMessage } from "./protocol.js";

/** What of `navigator.locks` is used. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal }, work: () => Promise<void>): Promise<unknown>;
}

/** What of `BroadcastChannel` is used. */
export interface Between {
  postMessage(note: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

export interface TabPorts {
  locks: Locks;
  between: (name: string) => Between;
}

/** Where a channel's stream stands at the leader, and how its subscription was answered. */
export interface Standing extends Pick<Subscribed, "start" | "epoch" | "cursor"> {
  said: AnswerMessage<"subscribed">;
}

export interface UpstreamEvents extends Omit<LineEvents, "frame"> {
  frame(frame: ServerMessage): void;
  /** Another page's word on where the stream stands, in the order of the frames. */
  stands(standing: Standing): void;
  standing(): Standing[];
}

/** The way to the gateway, as a page sees it. */
export interface Upstream {
  start(): void;
  stop(): void;
  want(channels: readonly string[]): void;
  say(text: string): void;
  /** The stream of a channel begins again at an older cursor. */
  rewind(channel: string, cursor: string): void;
  /** A channel is subscribed to again, where `start` says. */
  again(channel: string): void;
}

/** A line that nobody shares. */
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

  say(text: string): void {
    this.line.say(text);
  }

  rewind(channel: string, cursor: string): void {
    this.line.subscribe(channel, { from: { cursor } });
  }

  again(channel: string): void {
    this.line.subscribe(channel);
  }
}

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

/** A line that the pages of a browser share. `name`: of the lock and of the channel between them. */
export class SharedLine implements Upstream {
  private readonly me = crypto.randomUUID();
  private between: Between | undefined;
  private leaving: AbortController | undefined;
  private resign: (() => void) | undefined;
  private line: Line | undefined; // of the leader
  private state: ConnectionState = "closed";
  private wants: readonly string[] = [];
  private readonly wantsOfOthers = new Map<string, readonly string[]>();
  private readonly unsent = new Map<number, string>(); // said, and not yet sent by a leader
  private readonly taken = new Set<string>(); // what others said and this leader has taken
  private said = 0;

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
    this.between.onmessage = ({ data }) => this.told(data as Note);
    this.takeState("connecting");
    this.tell({ note: "hello", from: this.me, wants: this.wants });
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
      this.tell({ note: "hello", from: this.me, wants: channels });
    }
  }

  say(text: string): void {
    if (this.line) {
      this.line.say(text);
      return;
    }
    const id = ++this.said;
    this.unsent.set(id, text);
    this.tell({ note: "say", from: this.me, id, text });
  }

  rewind(channel: string, cursor: string): void {
    if (this.line) {
      this.line.subscribe(channel, { from: { cursor } });
    } else {
      this.tell({ note: "rewind", channel, cursor });
    }
  }

  again(channel: string): never {
    throw new TypeError(`${channel} is followed by other pages too`);
  }

  /** A page that sleeps in the cache of the way back must hold no lock. */
  private readonly hidden = (): void => this.leave();
  private readonly shown = (): void => {
    if (!this.between) {
      this.start();
    }
  };

  private leave(): void {
    this.tell({ note: "bye", from: this.me });
    this.leaving?.abort();
    this.line?.stop();
    this.line = undefined;
    this.resign?.();
    this.resign = undefined;
    this.wantsOfOthers.clear();
    this.taken.clear();
    this.between?.close();
    this.between = undefined;
  }

  /** This page has the lock, and keeps it while the promise is open. */
  private lead(): Promise<void> {
    const line = (this.line = new Line(this.options, {
      ...linked(this.on),
      frame: (text, frame) => {
        this.tell({ note: "frame", text });
        this.on.frame(frame);
      },
      state: (state) => {
        this.tell({ note: "state", state });
        this.takeState(state);
      },
      ended: (closed) => {
        this.tell({ note: "ended", closed });
        this.leave();
        this.on.ended(closed);
      },
    }));
    this.tell({ note: "lead" });
    this.unsent.forEach((text) => line.say(text));
    this.unsent.clear();
    this.lineWants();
    line.start();
    return new Promise((resolve) => (this.resign = resolve));
  }

  private lineWants(): void {
    this.line?.want([...new Set([...this.wants, ...[...this.wantsOfOthers.values()].flat()])]);
  }

  private told(note: Note): void {
    if (this.line) {
      this.toldAsLeader(this.line, note);
    } else {
      this.toldAsFollower(note);
    }
  }

  private toldAsLeader(line: Line, note: Note): void {
    switch (note.note) {
      case "hello":
        this.wantsOfOthers.set(note.from, note.wants);
        this.tell({ note: "welcome", to: note.from, state: this.state, standing: this.on.standing() });
        this.lineWants();
        break;
      case "bye":
        this.wantsOfOthers.delete(note.from);
        this.lineWants();
        break;
      case "say":
        if (!this.taken.has(`${note.from} ${note.id}`)) {
          this.taken.add(`${note.from} ${note.id}`);
          line.say(note.text, () => this.tell({ note: "sent", to: note.from, id: note.id }));
        }
        break;
      case "rewind":
        line.subscribe(note.channel, { from: { cursor: note.cursor } });
        break;
      case "ended": // by the leader before, whose lock was here sooner than its last words
        this.heardEnd(note.closed);
        break;
      default:
    }
  }

  private toldAsFollower(note: Note): void {
    switch (note.note) {
      case "lead":
        this.tell({ note: "hello", from: this.me, wants: this.wants });
        this.unsent.forEach((text, id) => this.tell({ note: "say", from: this.me, id, text }));
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
        this.heardEnd(note.closed);
        break;
      case "sent":
        if (note.to === this.me) {
          this.unsent.delete(note.id);
        }
        break;
      default: // for the leader
    }
  }

  private heardEnd(closed: Closed): void {
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

  private tell(note: Note): void {
    this.between?.postMessage(note);
  }
}

/** The events that a line passes on as they are. */
function linked(on: UpstreamEvents): Omit<LineEvents, "frame"> {
  return {
    state: (state) => on.state(state),
    failed: (event) => on.failed(event),
    ended: (closed) => on.ended(closed),
    start: (channel) => on.start(channel),
    startRefused: (channel, why) => on.startRefused(channel, why),
  };
}
