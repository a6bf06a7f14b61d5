/**
 * One script, one style sheet and one document with fixed names, in one folder: a page that was opened before an update never
 * requests a part that no longer exists, and the gateway serves everything from memory.
 */

import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./", // works below any path of a proxy
  publicDir: false,
  resolve: {
    alias: { "@catalogizer/client": fileURLToPath(new URL("../client/src/index.ts", import.meta.url)) },
  },
  build: {
    outDir: process.env["CATALOGIZER_PAGES"] ?? "../built",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      onLog: (level, log, handler) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") {
          handler(level, log); // "use client" in packages has no meaning here
        }
      },
      output: {
        entryFileNames: "app.js",
        assetFileNames: (asset) => (asset.names.some((name) => name.endsWith(".css")) ? "style.css" : "[name][extname]"),
        codeSplitting: false,
        comments: { legal: true }, // keeps the licences of the bundled packages
      },
    },
  },
  // for development: a gateway that runs on port 8080
  server: { proxy: { "/api": { target: "http://localhost:8080" }, "/ws": { target: "ws://localhost:8080", ws: true } } },
});
