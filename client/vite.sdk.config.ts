import { defineConfig } from "vite";

/** The SDK as one file for Node.js and other programs: `npm run sdk`. */
export default defineConfig({
  publicDir: false,
  build: {
    lib: { entry: "src/sdk/index.ts", formats: ["es"], fileName: "tidings" },
    outDir: "sdk",
    target: "node20",
    minify: false,
  },
});
