/** A WebSocket whose server is the test: for behaviour that depends only on time and close codes. */

import type { ClientMessage } from "../src/protocol.js";

type Handler<E> = ((event: E) => void) | null;

export class ScriptedSocket {
  static all: ScriptedSocket[] = [];
  static get newest(): ScriptedSocket {
    return ScriptedSocket.all.at(-1) as ScriptedSocket;
  }

  onopen: Handler<Event> = null;
  onmessage: Handler<MessageEvent> = null;
  onclose: Handler<CloseEvent> = null;
  onerror: Handler<Event> = null;
  readonly sent: ClientMessage[] = [];
  closedWith: [number | undefined, string | undefined] | undefined;

  constructor(
    readonly url: string,
    readonly protocols: string[] = [],
  ) {
    ScriptedSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(code?: number, reason?: string): void {
    this.closedWith = [code, reason];
  }

  /** The server accepts. */
  accept(): this {
    this.onopen?.({} as Event);
    return this;
  }

  /** The server sends a frame. */
  deliver(frame: object): this {
    this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent);
    return this;
  }

  /** The server answers a subscription. */
  subscribed(channel: string, start: Record<string, number> = { 0: 0 }, more: object = {}): this {
    const data = { channel, start, head: start, epoch: "e", mode: "live", recovered: true, cursor: `${channel}@${start[0]}`, ...more };
    return this.deliver({ type: "subscribed", data, ...data, timestamp: "2024-01-15T10:30:00Z" });
  }

  event(type: string, channel: string, offset: number, data: object): this {
    const timestamp = "2024-01-15T10:30:00Z";
    return this.deliver({ type, data, payload: data, timestamp, channel, partition: 0, offset, id: `${channel}-${offset}` });
  }

  ends(code: number, reason = ""): this {
    this.onclose?.({ code, reason } as CloseEvent);
    return this;
  }
}

export function film(id: number): object {
  const media = { id, title: `Film ${id}`, media_type: "video" };
  return { action: "created", media_id: id, media };
}
