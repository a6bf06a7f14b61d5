import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The README's example for React as a module. */
const readme: Plugin = {
  name: "readme",
  resolveId: (id) => (id === "virtual:readme.tsx" ? here("README.example.tsx") : null),
  load: (id) =>
    id === here("README.example.tsx") ? /^```tsx runnable\n(.*?)^```/ms.exec(readFileSync(here("README.md"), "utf8"))?.[1] : null,
};

export default defineConfig({
  plugins: [readme],
  resolve: {
    alias: [
      { find: /^@catalogizer\/client$/, replacement: here("src/index.ts") },
      { find: /^@catalogizer\/client\/react$/, replacement: here("src/react.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    // tests that need a gateway are run by tests/e2e/test_web_client.py, which starts one and passes its address
    exclude: process.env["CATALOGIZER_CONTROL"] ? [] : ["test/gateway/**"],
    testTimeout: 20_000,
    pool: "threads",
  },
});
