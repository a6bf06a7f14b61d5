/** The protocol's frames as types, composed of the types that are generated from the schemas. */

import type { AnswerData, Channel, ErrorCode, EventData } from "./messages.generated.js";

/** Any message of the gateway, with the contract's type. */
export interface WebSocketMessage {
  type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the contract's own type
  data: any;
  timestamp: string;
}

/** An event and its place in the log. `id` is the same at every delivery. */
export type EventMessage<K extends keyof EventData = keyof EventData> = {
  [T in K]: {
    type: T;
    data: EventData[T];
    /** Equal to `data`; present if the gateway still sends it. */
    payload?: EventData[T];
    timestamp: string;
    channel: string;
    partition: number;
    offset: number;
    id: string;
  };
}[K];

/** A message of the gateway that is no event: its members are in `data` and beside it. */
export type AnswerMessage<K extends keyof AnswerData = keyof AnswerData> = {
  [T in K]: { type: T; data: AnswerData[T]; timestamp: string; ref?: unknown } & AnswerData[T];
}[K];

/** A message was rejected; the socket stays open. */
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

/** The name of a channel; editors suggest the known ones, any other is accepted too. */
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

/** Options of `subscribe`: see docs/protocol.md, "Replay and resume". */
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

/** How a connection ended, and whether it is made again. 1006: closed without a close frame. */
export interface Closed {
  code: number;
  reason: string;
  meaning: string;
  comeBack: boolean;
}

/** Events that will not be delivered. `missed`: [from, to) by partition; `to` is null if it is not known. */
export interface Gap {
  channel: string;
  reason: string;
  missed: Record<string, { from: number; to: number | null }>;
}

export type ConnectionState = "connecting" | "open" | "closing" | "closed";

export function isEvent(frame: ServerMessage): frame is EventMessage {
  return "offset" in frame && "partition" in frame && typeof frame.offset === "number";
}
