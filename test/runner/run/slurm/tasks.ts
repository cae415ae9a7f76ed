/** Tasks made by hand. */
import type { Code } from "../../../../runner/code/bundle.ts";
import { sha256 } from "../../../../runner/files/statcache.ts";
import type { Task } from "../../../../runner/plan/task.ts";

const code = (name: string): Code => ({
  hash: sha256(name),
  bundle: "",
  imports: [],
  packages: [],
  files: [],
  outline: {},
  definition: {},
});

/** A task that takes the output `o` of others. Its stage is its id without the bracket. */
export function task(id: string, from: string[] = [], more: Partial<Task> = {}): Task {
  return {
    id,
    stage: id.replace(/\[.*/, ""),
    point: {},
    inputs: from.length ? { i: from.map((one) => ({ id: one, output: "o" })) } : {},
    with: {},
    retries: 0,
    at: () => "",
    code: code("c"),
    params: { id },
    parts: {},
    many: [],
    named: [],
    tolerant: [],
    outputs: { o: { path: "o.json", measured: false } },
    cpus: 1,
    ...more,
    codeHash: sha256(more.codeHash ?? "c"),
  };
}
