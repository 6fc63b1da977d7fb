import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm", "cjs"],
  dts: true,
  platform: "node",
  target: "node20",
  fixedExtension: true,
  external: ["@memlane/core"],
  sourcemap: true,
});
