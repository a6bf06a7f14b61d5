/** The frames of the protocol, as types. What follows from the schemas is generated; this puts it together. */

import type { AnswerData, Channel, ErrorCode, EventData } from "./messages.generated.js";

/** Any message of the gateway, as the contract writes it. */
export interface WebSocketMessage {
  type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the contract's own type
  data: any;
  timestamp: string;
}

/** An event: what happened, and where it stands in the log. `id` is the same at every delivery. */
export type EventMessage<K extends keyof EventData = keyof EventData> = {
  [T in K]: {
    type: T;
    data: EventData[T];
    /** Equal to `data`, where the gateway still sends it. */
    payload?: EventData[T];
    timestamp: string;
    channel: string;
    partition: number;
    offset: number;
    id: string;
  };
}[K];

/** What the gateway says of itself: members stand in `data` and beside it. */
export type AnswerMessage<K extends keyof AnswerData = keyof AnswerData> = {
  [T in K]: { type: T; data: AnswerData[T]; timestamp: string; ref?: unknown } & AnswerData[T];
}[K];

/** A message was refused; the socket stays. */
export interface ErrorMessage {
  type: "error";
  data: { code: ErrorCode; message: string };
  timestamp: string;
  ref?: unknown;
}

export interface PlainMessage {
  type: "pong" | "authenticated";
  data: Record<string, never>;
  timestamp: string;
  ref?: unknown;
}

export type ServerMessage = EventMessage | AnswerMessage | ErrorMessage | PlainMessage;

/** A name of a channel; those of the table are suggested, others are taken too. */
export type ChannelName = Channel | (string & {});

/** Where a subscription begins. */
export type Start =
  | "live"
  | "earliest"
  | { last: number }
  | { time: string | number }
  | { offsets: Record<string, number> }
  | { cursor: string };

type Names = string | readonly string[];

/** What `subscribe` may say beside the channel: docs/protocol.md, "Replay and resume". */
export interface SubscribeOptions {
  from?: Start;
  until?: "head" | { time: string | number } | { offsets: Record<string, number> };
  filter?: { storage_root?: Names; media_type?: Names; action?: Names };
  on_gap?: "earliest" | "live" | "fail";
  on_slow?: "catch_up" | "conflate" | "disconnect";
  credit?: number;
}

/** Any message to the gateway. */
export interface ClientMessage {
  type: string;
  [member: string]: unknown;
}

/** How a connection ended for good, or is to come back. 1006: without a word. */
export interface Closed {
  code: number;
  reason: string;
  meaning: string;
  comeBack: boolean;
}

/** Events that will not come. `missed` by partition: [from, to), `to` null where it is not known. */
export interface Gap {
  channel: string;
  reason: string;
  missed: Record<string, { from: number; to: number | null }>;
}

export type ConnectionState = "connecting" | "open" | "closing" | "closed";

export function isEvent(frame: ServerMessage): frame is EventMessage {
  return "offset" in frame && "partition" in frame && typeof frame.offset === "number";
}
