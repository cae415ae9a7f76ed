/** A stage for a {@link Project} whose process may run further instances: it writes a word, and does as its mode says. */
export const ECHO: Record<string, string> = {
  "schemas/echo.params.schema.json": JSON.stringify({
    type: "object",
    additionalProperties: false,
    properties: { mode: { type: "string", default: "none" }, word: { type: "string" } },
  }),
  "stages/echo/stage.ts": `
import { existsSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { defineStage } from "../../runner/stage.ts";
let runs = 0;
let taken: unknown;
export default defineStage<{ mode: string; word: string }>({
  params: "echo",
  inputs: { values: { artifact: "values", optional: true } },
  outputs: { text: "text.txt" },
  reusable: true,
  async run({ params, outputs, log, note, warn, endProcess }) {
    const { mode, word } = params;
    note("pid", process.pid);
    note("runs", ++runs);
    log("logged " + word);
    console.log("printed " + word);
    writeSync(2, "native " + word + "\\n");
    if (mode === "throw") throw new Error("no " + word);
    if (mode === "timer") setTimeout(() => {}, 60_000);
    if (mode === "memory") taken = Buffer.alloc(200e6, 1);
    if (mode === "free") {
      taken = undefined;
      setFlagsFromString("--expose-gc");
      runInNewContext("gc")();
    }
    if (mode === "read" && existsSync("extra.txt")) readFileSync("extra.txt");
    if (mode === "thread")
      await new Promise((done) => {
        new Worker("require('node:fs').readFileSync('extra.txt')", { eval: true }).once("exit", done);
      });
    if (mode === "ends") endProcess();
    // A timer that keeps no process is seen by nobody.
    if (mode === "late") setTimeout(() => warn("late of " + word), 50).unref();
    if (mode === "dies") setTimeout(() => process.kill(process.pid, "SIGKILL"), 50).unref();
    if (mode === "pause") await new Promise((done) => setTimeout(done, 300));
    if (mode === "wait") await new Promise((done) => setTimeout(done, 60_000));
    writeFileSync(outputs.text, word);
  },
});
`,
};
