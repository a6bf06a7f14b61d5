/**
 * One script, one style sheet and one document under names that do not change, beside each other: a page that was opened before an
 * update never asks for a part that is gone, and the gateway answers everything from memory.
 */

import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./", // wherever a proxy has put it
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
          handler(level, log); // "use client" of packages means nothing here
        }
      },
      output: {
        entryFileNames: "app.js",
        assetFileNames: (asset) => (asset.names.some((name) => name.endsWith(".css")) ? "style.css" : "[name][extname]"),
        codeSplitting: false,
        comments: { legal: true }, // the licences of what is built in go with it
      },
    },
  },
  // a gateway that runs elsewhere, while the pages are worked on
  server: { proxy: { "/api": { target: "http://localhost:8080" }, "/ws": { target: "ws://localhost:8080", ws: true } } },
});
