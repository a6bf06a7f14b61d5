/** `useWebSocket`: the contract's hook. */

import { QueryClientContext } from "@tanstack/react-query";
import { createContext, createElement, useContext, useEffect, useMemo, useRef, type ReactNode } from "react";

import { WebSocketClient, type ClientOptions } from "./client.js";
import type { ChannelName, ClientMessage, ConnectionState, SubscribeOptions } from "./protocol.js";
import { bindQueryClient } from "./react-query.js";
import { Toaster, type ShowToast } from "./toasts.js";

export interface WebSocketSettings extends ClientOptions {
  /** A fixed token; without one, that of the session which the browser keeps. */
  token?: string;
  /** Shows a toast; without it there are no toasts. */
  toast?: ShowToast;
}

const Settings = createContext<WebSocketSettings>({});

/** All toasts of a page go through one `Toaster`, however many components receive an event. */
let show: ShowToast | undefined;
const toaster = new Toaster((toast) => show?.(toast));

/** Settings for all hooks below. */
export function WebSocketProvider({ children, ...settings }: WebSocketSettings & { children?: ReactNode }): ReactNode {
  return createElement(Settings.Provider, { value: settings }, children);
}

export interface WebSocketHook {
  connect(): void;
  disconnect(): void;
  send(message: ClientMessage): void;
  subscribe(channel: ChannelName, options?: SubscribeOptions): void;
  unsubscribe(channel: ChannelName): void;
  getConnectionState(): ConnectionState;
  /** The client itself, for what the contract does not have (`on`). Undefined before `connect`. */
  client(): WebSocketClient | undefined;
}

/**
 * A client for a component, disconnected when the component unmounts. All components of a page share one connection; each
 * event changes the cache (of the nearest QueryClientProvider) and shows its toast once. The functions are the same at every
 * render.
 */
export function useWebSocket(): WebSocketHook {
  const queryClient = useContext(QueryClientContext);
  const here = useContext(Settings);
  const settings = useRef(here);
  settings.current = here;
  const kept = useRef<{ client: WebSocketClient; stops: (() => void)[] } | undefined>(undefined);

  const hook = useMemo<WebSocketHook>(() => {
    const make = (): WebSocketClient => {
      const { token, toast, ...options } = settings.current;
      const client = new WebSocketClient(token, options);
      const stops = queryClient ? [bindQueryClient(client, queryClient)] : [];
      if (toast) {
        stops.push(client.on("message", (message) => toaster.tell(message)));
      }
      kept.current = { client, stops };
      return client;
    };
    return {
      connect: () => (kept.current?.client ?? make()).connect(),
      disconnect: () => {
        kept.current?.client.disconnect();
        kept.current?.stops.forEach((stop) => stop());
        kept.current = undefined;
      },
      send: (message) => (kept.current?.client ?? make()).send(message),
      subscribe: (channel, options) => (kept.current?.client ?? make()).subscribe(channel, options),
      unsubscribe: (channel) => (kept.current?.client ?? make()).unsubscribe(channel),
      getConnectionState: () => kept.current?.client.getConnectionState() ?? "closed",
      client: () => kept.current?.client,
    };
  }, [queryClient]);

  useEffect(() => {
    show = here.toast ?? show;
  }, [here.toast]);

  useEffect(
    () => () => {
      const gone = kept.current;
      kept.current = undefined;
      // not at once: another component that mounts in the same step keeps the connection open
      queueMicrotask(() => {
        gone?.client.disconnect();
        gone?.stops.forEach((stop) => stop());
      });
    },
    [hook],
  );

  return hook;
}
