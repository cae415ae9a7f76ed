/** The scripts of the page, bundled for a browser. */
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { UserError } from "../../runner/stage.ts";

/** From the folder of the package, where search/main.mjs runs. */
const [SERVER_CLIENT, CLIENT] = ["search/serve/client", "search/page/client"];
const RUNTIME = "onnxruntime-web";

/** Lets the page of `deephash serve` ask the worker in the place of the server. */
const ownApi: Plugin = {
  name: "own api",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/api\.ts$/ }, ({ resolveDir }) =>
      resolveDir === resolve(SERVER_CLIENT) ? { path: resolve(CLIENT, "api.ts") } : undefined,
    ),
};

/** Leaves out the functions that the scripts do not call, and with them the packages that no browser runs. */
const withoutNode: Plugin = {
  name: "without node",
  setup({ onResolve }) {
    onResolve({ filter: /^(node:|apache-arrow$|ajv$)/ }, ({ path }) => ({
      path,
      external: true,
      sideEffects: false,
    }));
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) =>
      resolveDir.includes("node_modules") ? undefined : { path: join(resolveDir, path), sideEffects: false },
    );
  },
};

async function bundled(entry: string, format: "iife" | "esm", plugins: Plugin[]): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: resolve("."),
    bundle: true,
    write: false,
    minify: true,
    format,
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    logLevel: "silent",
    plugins,
  });
  return outputFiles[0].text;
}

/** The folder of onnxruntime-web's files. @throws UserError when it is not installed */
export function runtimeFolder(): string {
  try {
    return dirname(createRequire(resolve("package.json")).resolve(`${RUNTIME}/wasm`));
  } catch {
    throw new UserError(
      `page: the package ${RUNTIME} is not installed, which runs the encoder in the browser. Install it (about 140 MB, of which the page takes 14 MB): npm install ${RUNTIME}@1.30`,
    );
  }
}

/** Bundles both scripts. */
export async function readScripts(): Promise<{ page: string; worker: string }> {
  const page = await bundled(join(SERVER_CLIENT, "main.ts"), "iife", [ownApi, withoutNode]);
  const worker = await bundled(join(CLIENT, "worker.ts"), "esm", [withoutNode]);
  return { page, worker };
}
