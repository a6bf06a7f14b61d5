import { gzipSync } from "node:zlib";

import { build, type Rollup } from "vite";
import { expect, it } from "vitest";

it("the whole core, minified and gzipped, has at most 12 KB", async () => {
  const built = (await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, minify: true, lib: { entry: "src/index.ts", formats: ["es"], fileName: "core" } },
  })) as Rollup.RollupOutput[];
  const code = built.flatMap(({ output }) => output.flatMap((part) => (part.type === "chunk" ? [part.code] : []))).join("");
  expect(code).not.toMatch(/from ?["']/); // everything is bundled
  const size = gzipSync(code, { level: 9 }).length;
  console.log(`core: ${code.length} bytes minified, ${size} gzipped`);
  expect(size).toBeLessThanOrEqual(12 * 1_024);
});
