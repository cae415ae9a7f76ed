// Preloaded into the processes of a run (node --require, so before the runner's own preload): counts every call that
// changes a file below ROOT, and lets the n-th one go wrong. Which calls came is written to a trace. Plain
// JavaScript, as a preload must be.
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const { resolve, sep } = require("node:path");

const { root, trace, of, at, kind, since } = JSON.parse(process.env.DEEPHASH_FAULT);
const {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} = fs;
const { truncateSync, writeFileSync, writeSync } = fs;

const role = process.argv[1]?.endsWith("child.cjs") ? "stage" : "runner";
let count = existsSync(trace)
  ? readFileSync(trace, "utf8")
      .split("\n")
      .filter((line) => line.startsWith(`${role} `)).length
  : 0;
let full = false;
/** Which files this process has written through to the disk: all others are lost in a power cut. */
const synced = new Set();

/** Whether flags of open() let the file be written. */
const writes = (flags = "r") =>
  typeof flags === "number" ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0 : flags !== "r";

/** Of every call: which arguments are paths, and whether it needs room on the disk. */
const CALLS = {
  mkdirSync: { paths: [0], room: true },
  writeFileSync: { paths: [0], room: true, content: 1 },
  appendFileSync: { paths: [0], room: true, content: 1 },
  writeSync: { paths: [0], room: true, content: 1 },
  openSync: { paths: [0], room: true, when: (_, flags) => writes(flags) },
  symlinkSync: { paths: [1], room: true },
  linkSync: { paths: [1, 0], room: true },
  copyFileSync: { paths: [1], room: true },
  renameSync: { paths: [1, 0] },
  fsyncSync: { paths: [0] },
  chmodSync: { paths: [0] },
  utimesSync: { paths: [0] },
  truncateSync: { paths: [0] },
  unlinkSync: { paths: [0] },
  rmdirSync: { paths: [0] },
  rmSync: { paths: [0] },
};

const pathOf = (path) =>
  typeof path === "number" ? readlinkSync(`/proc/self/fd/${path}`) : resolve(String(path));

/** All files below a folder. */
const below = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? below(path) : entry.isFile() ? [path] : [];
  });

/** A power cut: what was written in this run and not synced is there by name, and empty. */
function cutPower() {
  for (const path of below(root)) {
    const { mtimeMs, size } = lstatSync(path);
    if (path === trace || mtimeMs < since || size === 0 || synced.has(path)) continue;
    chmodSync(path, 0o644);
    truncateSync(path);
  }
}

function die() {
  if (kind === "power") cutPower();
  process.kill(process.pid, "SIGKILL");
}

const TEXT = { ENOSPC: "no space left on device", EIO: "i/o error" };
const error = (call, path) =>
  Object.assign(new Error(`${kind}: ${TEXT[kind]}, ${call.replace("Sync", "")} '${path}'`), {
    code: kind,
    syscall: call.replace("Sync", ""),
    path,
  });

/** Does half of what was asked. */
function half(name, args) {
  if (name === "copyFileSync") {
    const content = readFileSync(args[0]);
    writeFileSync(args[1], content.subarray(0, content.length >> 1));
    return;
  }
  const content = Buffer.from(args[1]).subarray(0, Buffer.byteLength(args[1]) >> 1);
  if (name === "writeSync") writeSync(args[0], content);
  else (name === "writeFileSync" ? writeFileSync : appendFileSync)(args[0], content);
}

/** One point at which something may go wrong; true when this is the one. */
function point(name, path, room) {
  const file = openSync(trace, "a"); // not by appendFileSync: it asks writeFileSync, which others have wrapped
  writeSync(file, `${role} ${name} ${path.slice(root.length + 1)}\n`);
  closeSync(file);
  count++;
  if (kind === "ENOSPC") {
    full ||= role === of && at > 0 && count >= at && room;
    return full && room;
  }
  return role === of && count === at;
}

const killed = kind === "kill" || kind === "power";
for (const [name, { paths, room = false, content, when }] of Object.entries(CALLS)) {
  const original = fs[name];
  fs[name] = (...args) => {
    const names = when && !when(...args) ? [] : paths.map((index) => pathOf(args[index]));
    if (!names.length || !names[0].startsWith(root + sep) || names[0] === trace) return original(...args);
    const wrong = (what) => {
      if (killed) die();
      throw error(what, names[0]);
    };
    if (point(name, names[0], room)) wrong(name);
    if ((content !== undefined || name === "copyFileSync") && point(`half of ${name}`, names[0], room)) {
      half(name, args);
      wrong(name);
    }
    const result = original(...args);
    if (name === "fsyncSync") synced.add(names[0]);
    if (name === "renameSync")
      for (const path of [...synced])
        if (`${path}/`.startsWith(`${names[1]}/`)) {
          synced.delete(path); // of a folder, with all that is in it
          synced.add(names[0] + path.slice(names[1].length));
        }
    if (name === "linkSync" && synced.has(names[1])) synced.add(names[0]);
    return result;
  };
}
syncBuiltinESMExports();
