/**
 * One socket to the gateway that comes back by itself and misses nothing.
 *
 * Live: every channel is resumed by its cursor, so a reconnect (with growing, jittered pauses) continues right
 * behind the last event shown. Replay: a second subscription of one channel, which moves that channel's position;
 * going back to live is a subscription from now.
 */

const PAUSES_MS = [1000, 2000, 4000, 8000, 16000];
const REFUSED = new Set([4001, 4002, 4003]); // the token holds no more: another one may

export class EventSocket {
  /** `on` has: state(name, text), event(frame, replayed), replay(state, frame), gap(frame), forbidden(channel),
   * refused(): a promise that resolves when there is another token (`renew`) or none (`end`). */
  constructor(token, channels, on) {
    this.token = token;
    this.channels = channels;
    this.on = on;
    this.at = new Map(); // channel → {cursor, epoch, next: {partition: next offset}}
    this.replaying = new Map(); // channel → head offsets at its start: what lies before them is history
    this.failures = 0;
    this.ended = false;
    this.ref = 0;
    this.open();
  }

  open() {
    this.on.state("waiting", this.failures ? "reconnecting…" : "connecting…");
    const url = new URL("ws", document.baseURI); // beside the page, wherever a proxy has put it
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url, ["bearer", this.token]);
    this.socket.onopen = () => this.channels.forEach((channel) => this.resume(channel));
    this.socket.onmessage = (message) => this.hear(JSON.parse(message.data));
    this.socket.onclose = (close) => this.closed(close);
  }

  /** Continue where the channel stands; from now where it never stood. */
  resume(channel) {
    const at = this.at.get(channel);
    this.say({ type: "subscribe", channel, from: at ? { cursor: at.cursor } : "live", ref: { channel } });
  }

  /** Show a channel again from `from` on (a subscription start of the protocol). */
  replay(channel, from) {
    this.wanted = { channel, ref: `replay-${++this.ref}` };
    return this.say({ type: "subscribe", channel, from, ref: this.wanted.ref });
  }

  /** Leave a replay: the channel goes on from now. */
  live(channel) {
    this.wanted = undefined;
    this.replaying.delete(channel);
    this.say({ type: "subscribe", channel, from: "live" });
  }

  say(message) {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
      return true;
    }
    return false;
  }

  hear(frame) {
    switch (frame.type) {
      case "subscribed":
        this.subscribed(frame);
        break;
      case "caught_up":
      case "position":
        if (this.at.has(frame.channel)) {
          this.at.get(frame.channel).cursor = frame.cursor;
        }
        if (frame.type === "caught_up" && this.replaying.has(frame.channel)) {
          this.on.replay("done", frame);
        }
        break;
      case "gap":
        this.on.gap(frame);
        break;
      case "error":
        if (frame.data.code === "unknown_channel" && frame.ref?.channel) {
          this.lost(frame.ref.channel);
        } else {
          this.on.replay("failed", frame);
        }
        break;
      case "unsubscribed":
        if (frame.reason === "forbidden") {
          this.lost(frame.channel);
        }
        break;
      case "authenticated":
        this.on.state("live", "live");
        break;
      case "auth_expiring":
        this.on.state("waiting", "signing in again soon");
        break;
      default:
        if (frame.channel !== undefined && frame.offset !== undefined) {
          this.event(frame);
        }
    }
  }

  subscribed(frame) {
    this.failures = 0;
    this.on.state("live", "live");
    const asked = this.wanted !== undefined && frame.ref === this.wanted.ref;
    const before = this.at.get(frame.channel);
    // A cursor may lie a little behind what was shown: what lies before `next` has been shown.
    const kept = before && before.epoch === frame.epoch && !asked ? before.next : {};
    const next = Object.fromEntries(
      Object.entries(frame.start).map(([partition, start]) => [partition, Math.max(start, kept[partition] ?? 0)]),
    );
    this.at.set(frame.channel, { cursor: frame.cursor, epoch: frame.epoch, next });
    if (asked) {
      this.wanted = undefined;
      this.replaying.set(frame.channel, frame.head);
      this.on.replay("started", frame);
    }
    if (!frame.recovered) {
      this.on.gap(frame);
    }
  }

  /** The account may not follow it (any more). */
  lost(channel) {
    this.at.delete(channel);
    this.replaying.delete(channel);
    this.on.state("live", "live");
    this.on.forbidden(channel);
  }

  event(frame) {
    const next = this.at.get(frame.channel)?.next ?? {};
    if (frame.offset < (next[frame.partition] ?? 0)) {
      return;
    }
    next[frame.partition] = frame.offset + 1;
    const head = this.replaying.get(frame.channel);
    this.on.event(frame, head !== undefined && frame.offset < (head[frame.partition] ?? 0));
  }

  async closed(close) {
    if (this.ended) {
      return;
    }
    if (REFUSED.has(close.code)) {
      this.on.state("waiting", "signing in again…");
      await this.on.refused();
      if (this.ended) {
        return;
      }
    }
    const pause = PAUSES_MS[Math.min(this.failures, PAUSES_MS.length - 1)] * (0.75 + Math.random() / 2);
    this.failures += 1;
    this.on.state("lost", `connection lost, again in ${Math.ceil(pause / 1000)} s`);
    this.timer = setTimeout(() => this.open(), pause);
  }

  /** The token from now on. */
  renew(token) {
    this.token = token;
    this.say({ type: "auth", token });
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket.close(1000, "Client disconnect");
  }
}
