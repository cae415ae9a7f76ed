// The launcher of the benchmarks: `node bench/run.mjs NAME [ARGUMENT …]` runs bench/NAME.ts.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundled, imported, PROGRAM } from "../runner/bundled.mjs";

const bench = dirname(fileURLToPath(import.meta.url));
const [name, ...rest] = process.argv.slice(2);
const entry = join(bench, `${name}.ts`);
if (!name || !existsSync(entry)) {
  const known = readdirSync(bench).filter((file) => file.endsWith(".ts"));
  console.error(
    `node bench/run.mjs NAME: ${name ? `no benchmark "${name}"` : "a name is missing"}. There are ${known.map((file) => file.slice(0, -3)).join(", ")}.`,
  );
  process.exit(2);
}
const folder = await bundled(
  `bench/${name}`,
  ["bench", "init", "library", "runner", "search", "stages", "test"],
  [{ ...PROGRAM, entryPoints: { [name]: entry } }],
);
process.argv = [process.argv[0], entry, ...rest];
await imported(folder, `${name}.mjs`);
