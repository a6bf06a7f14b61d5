/** Catalogizer's events in a browser; see README.md. */

export { CacheUpdates, type QueryCache } from "./cache.js";
export { AUTO_SUBSCRIBED, WebSocketClient, WebSocketClient as default, type ClientOptions, type Listened } from "./client.js";
export * from "./messages.generated.js";
export { PAUSES_MS } from "./pauses.js";
export type {
  AnswerMessage,
  ChannelName,
  ClientMessage,
  Closed,
  ConnectionState,
  ErrorMessage,
  EventMessage,
  Gap,
  ServerMessage,
  Start,
  SubscribeOptions,
  WebSocketMessage,
} from "./protocol.js";
export { Session, SignInError, type Kept, type SessionOptions } from "./session.js";
export { hotToasts, Toaster, toastOf, type HotToast, type ShowToast, type Toast, type ToastKind } from "./toasts.js";
export type { TabPorts } from "./tabs.js";
export type { Tokens } from "./tokens.js";
