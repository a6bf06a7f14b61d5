// @vitest-environment happy-dom
/** The README's example for React, unchanged. */

import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, it, vi } from "vitest";

import { ScriptedSocket } from "./scripted-socket.js";

it("the example for React connects beside the page and shows toasts", async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("WebSocket", ScriptedSocket);
  localStorage.setItem("auth_token", "kept");
  const { App } = (await import("virtual:readme.tsx")) as typeof import("virtual:readme.tsx");
  const shown: string[] = [];
  const toast = Object.assign(() => undefined, { success: (text: string) => shown.push(text), error: () => undefined });
  const root = createRoot(document.createElement("div"));
  await act(async () => root.render(<App toast={toast} />));
  expect(ScriptedSocket.newest.protocols).toEqual(["bearer", "kept"]);
  expect(ScriptedSocket.newest.url).toBe(new URL("ws", document.baseURI).href.replace("http", "ws"));
  ScriptedSocket.newest.accept().subscribed("analysis_updates").event("analysis_complete", "analysis_updates", 0, { items_processed: 3 });
  expect(shown).toEqual(["Analysis complete for 3 items"]);
  await act(async () => root.unmount());
  vi.unstubAllGlobals();
});
