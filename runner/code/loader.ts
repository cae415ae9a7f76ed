/** The text of load.cjs, which a stage's process takes its packages from. */

/**
 * Gives a bundle the function that loads one package of packages.cjs beside it, as an import of Node's would show it. The
 * first process of a stage's code that ends well keeps what V8 compiled, for those after it: another stage needs other
 * functions. V8 would drop those that ran at the start alone, so it is told not to. `v8.cachedDataVersionTag()` tells
 * apart what another Node compiled.
 * @param commonjs the packages that are no modules
 */
export const loaderOf = (commonjs: string[]) => `
const { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { isMainThread } = require("node:worker_threads");
const v8 = require("node:v8");
const vm = require("node:vm");
const commonjs = new Set(${JSON.stringify(commonjs)});
const filename = require.resolve("./packages.cjs");
const packages = {}, shown = new Map();
let script;
function compile(bundle) {
  v8.setFlagsFromString("--no-flush-bytecode");
  const compiled = [filename, bundle, v8.cachedDataVersionTag(), "v8"].join(".");
  let cachedData;
  try { cachedData = readFileSync(compiled); } catch {}
  script = new vm.Script("(function(exports,require){" + readFileSync(filename, "utf8") + "\\n})", { filename, cachedData });
  if (isMainThread && (!cachedData || script.cachedDataRejected))
    process.once("exit", (code) => {
      if (code === 0) keep(compiled);
    });
  script.runInThisContext()(packages, require);
}
// As scratchName() of runner/files does, so that the next run removes the file of a killed process.
function scratchName(name) {
  let started = "";
  try { started = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1).split(" ")[19]; } catch {}
  const once = require("node:crypto").randomBytes(8).toString("hex");
  return [name, once, ["scratch-" + process.pid, started, require("node:os").hostname()].join("-")].join(".");
}
function keep(compiled) {
  const scratch = scratchName(compiled);
  try {
    const file = openSync(scratch, "w");
    writeFileSync(file, script.createCachedData());
    fsyncSync(file); // V8 checks the length of such data, not what it holds
    closeSync(file);
    renameSync(scratch, compiled);
  } catch {
    try { rmSync(scratch, { force: true }); } catch {}
  }
}
function load(name) {
  if (!shown.has(name)) {
    const value = packages[name]();
    let namespace = value;
    if (commonjs.has(name)) {
      namespace = {};
      if ((typeof value === "object" && value !== null) || typeof value === "function")
        for (const key of Object.keys(value)) namespace[key] = value[key];
      namespace.default = value;
      Object.defineProperty(namespace, "__esModule", { value: true });
    }
    shown.set(name, namespace);
  }
  return shown.get(name);
}
module.exports = (bundle) => {
  if (!script) compile(bundle); // the stage's is the first of a process, then come its parts
  return load;
};
`;
