import { readFileSync } from "node:fs";
import { join } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";
import { emojiData } from "./scripts/emoji-data.ts";
import { serviceWorker } from "./scripts/service-worker.ts";

/**
 * Sonner writes its rules into a `<style>` element when it loads, which the
 * page's Content-Security-Policy (`style-src 'self'`) refuses. The same rules
 * come as a file, imported in `notifications/Toaster.tsx`; this takes the other copy out.
 */
function sonnerWithoutStyleElement(): Plugin {
  return {
    name: "sonner-without-style-element",
    apply: "build",
    transform(code, id) {
      if (!id.includes("/sonner/dist/index.mjs")) return null;
      const without = code.replace(/^__insertCSS\("(?:[^"\\]|\\.)*"\);$/m, "");
      if (without === code) this.error("sonner no longer inserts its rules as expected");
      return { code: without, map: null };
    },
  };
}

/**
 * Virtuoso makes its lists, tables and grids by calls, and takes each result apart at once: so
 * no bundler may leave any of them out. Here the result is taken apart when it is used, and what
 * nobody uses is left out: 1.9 KB of the first load (Brotli). It goes by the library's text, and
 * is to go when the list of messages has another one; the build fails when that text changes.
 */
function virtuosoWithoutRest(): Plugin {
  const takenApart =
    /\{\s*Component: (\w+),\s*useEmitter: (\w+),\s*useEmitterValue: (\w+),\s*usePublisher: (\w+)\s*\} = (\/\* @__PURE__ \*\/ \w+\()/g;
  return {
    name: "virtuoso-without-rest",
    apply: "build",
    transform(code, id) {
      if (!id.includes("/react-virtuoso/dist/index.mjs")) return null;
      const components: string[] = [];
      let without = code.replace(takenApart, (_, component, emitter, value, publisher, call) => {
        components.push(component);
        const made = `${component}$made`;
        const later = (name: string, what: string) =>
          `${name} = (...all) => ${made}.${what}(...all)`;
        return [
          later(emitter, "useEmitter"),
          later(value, "useEmitterValue"),
          later(publisher, "usePublisher"),
          `${made} = ${call}`,
        ].join(", ");
      });
      for (const component of components) {
        without = without.replace(
          new RegExp(`= ${component}\\b(?=[,;])`, "g"),
          `= ${component}$made.Component`,
        );
      }
      // The others of these calls are marked as what they are already.
      without = without.replace(
        / = (?=(?:E\.memo|E\.createContext|q|ln|cn)\()/g,
        " = /* @__PURE__ */ ",
      );
      if (components.length !== 3) this.error("react-virtuoso is not made as expected");
      return { code: without, map: null };
    },
  };
}

/**
 * The script that must run before anything is drawn. Vite makes modules of all
 * scripts, and those run later; this one stays as it is, under a name with a hash.
 */
function firstPaint(): Plugin {
  const source = "src/platform/first-paint.js";
  let building = false;
  let path = source;
  return {
    name: "first-paint",
    configResolved({ command, root }) {
      building = command === "build";
      path = join(root, source);
    },
    buildStart() {
      if (!building) return;
      this.emitFile({ type: "asset", name: "first-paint.js", source: readFileSync(path) });
    },
    transformIndexHtml(html, { bundle = {} }) {
      const built = Object.values(bundle).find(
        (file) => file.type === "asset" && file.names.includes("first-paint.js"),
      );
      const script = `<script src="/${built?.fileName ?? source}"></script>`;
      // The first to be asked for: the page waits for it, and a connection is open already.
      return html.replace("<title>", `${script}\n    <title>`);
    },
  };
}

export default defineConfig({
  plugins: [
    firstPaint(),
    sonnerWithoutStyleElement(),
    virtuosoWithoutRest(),
    emojiData(),
    tailwindcss(),
    serviceWorker(),
  ],
  build: {
    // No data: URLs: everything the page loads has an address of its own.
    assetsInlineLimit: 0,
    target: "es2024",
    // What runs this target preloads modules by itself.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Reading a property does nothing else, here and in what is used here.
      treeshake: { propertyReadSideEffects: false },
      // What the page begins with, in one file: pieces shared with its later parts would each
      // be one of their own, and compress worse.
      output: {
        codeSplitting: {
          groups: [
            { name: "page", tags: ["$initial"], priority: 1 },
            { name: "background", test: /src\/notifications\/(?!Toaster|MessageToast|chime)/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true } },
  },
});
