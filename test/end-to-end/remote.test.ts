/** A shared cache between stores: nothing runs twice, nothing is fetched that nobody needs, nothing breaks a run. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { makeSigner, signingKeyPath } from "../../runner/store/signing.ts";
import { type Loopback, startLoopback } from "../runner/loopback.ts";
import { Project } from "../runner/project.ts";

const project = new Project();
let loopback: Loopback;
beforeAll(async () => {
  loopback = await startLoopback();
  for (const [name, value] of Object.entries(loopback.env)) vi.stubEnv(name, value);
  vi.stubEnv("DEEPHASH_REMOTE_TIMEOUT", "60"); // a machine that is busy with other tests may be slow
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await loopback.close();
  project.remove();
});

/** A fresh project with an empty shared folder, and a pair of keys that it trusts. */
let publicKey: string;
beforeEach(() => {
  project.reset();
  mkdirSync(project.path("shared"));
  vi.stubEnv("XDG_CONFIG_HOME", project.path("settings"));
  ({ publicKey } = makeSigner(signingKeyPath()));
  project.write("trusted-keys", `${publicKey}\n`);
});

/** The ids of the records in one folder of a store. */
const ids = (store: string, folder: string) =>
  existsSync(project.path(store, folder))
    ? readdirSync(project.path(store, folder))
        .map((file) => JSON.parse(project.read(`${store}/${folder}/${file}`)).id)
        .sort()
    : [];
/** The contents of a store's objects. */
const objects = (store: string) =>
  existsSync(project.path(store, "objects"))
    ? readdirSync(project.path(store, "objects"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
        .sort()
    : [];
/** The published files, without the measured ones. */
const published = () =>
  ["metrics.json", "tables/0.csv", "tables/1.csv"].map((file) => project.read(`reports/small/${file}`));
const warnings = ({ out, err }: { out: string; err: string }) =>
  (out + err).split("\n").filter((line) => line.startsWith("! shared cache"));

const ALL = ["numbers", "scale[by=2]", "scale[by=3]", "total"];

test("key makes a pair once, prints the next steps, and shows it the next time", async () => {
  rmSync(project.path("settings"), { recursive: true });
  const first = await project.run("key");
  expect(first.code).toBe(0);
  expect(first.out).toMatch(
    /^A new signing key is in .*settings\/deephash\/signing-key\.pem\. Keep it secret\.$/m,
  );
  const second = await project.run("key");
  expect(second.out).toMatch(/^The signing key exists already\. Keep it secret\.$/m);
  const keys = [first, second].map(({ out }) => /ed25519:\S+/.exec(out)![0]);
  expect(keys[0]).toBe(keys[1]);
  expect(keys[0]).not.toBe(publicKey);
});

describe.each([
  ["a folder", () => project.path("shared")],
  ["S3", () => loopback.place(`study-${process.pid}`)],
])("through %s", (_, place) => {
  test("stages that one store pushed run in no other; only the needed files are fetched", async () => {
    const first = await project.run("--remote", place(), "--remote-push");
    expect(first.out).toContain(`Pushed 4 results to ${place()}.\n`);
    expect(first.code).toBe(0);
    project.ran();
    const before = published();
    rmSync(project.path("reports"), { recursive: true });

    const second = await project.run("--cache", "second", "--remote", place());
    expect(warnings(second)).toEqual([]);
    expect(second.code).toBe(0);
    expect(project.ran()).toEqual([]);
    expect(second.out).toContain(`Ran 0 stages in`);
    expect(second.out).toContain(`took 4 from ${place()}; all 4 are up to date.`);
    expect(published()).toEqual(before);
    // Of four stages, the objects of the published one.
    expect(objects("second").filter((text) => !text.startsWith('{"now"'))).toEqual([...before].sort());
    expect(ids("second", "records")).toEqual(["total"]);
    expect(ids("second", "promised")).toEqual(ALL.slice(0, 3));

    // Nothing is left to do, with the remote or without.
    for (const remote of [["--remote", place()], []]) {
      const third = await project.run("--cache", "second", ...remote);
      expect(third.out).toBe("Nothing to do: all 4 stages are up to date.\n");
    }

    // One stage changes: what it needs comes, and no more.
    const fourth = await project.run("--cache", "second", "--remote", place(), "--set", "total.digits=1");
    expect(fourth.code).toBe(0);
    expect(project.ran()).toEqual(["total"]);
    expect(objects("second")).toEqual(expect.arrayContaining(["[2,4,6]", "[3,6,9]"]));
    expect(objects("second")).not.toContain("[1,2,3]"); // which numbers made, and only scale needs

    // Published already: no object is fetched at all, and check compares all the same.
    const check = await project.run(
      "check",
      "--cache",
      "third",
      "--remote",
      place(),
      "--set",
      "total.digits=0",
    );
    expect(check.out).toContain("Check passed");
    expect(objects("third")).toEqual([]);
  });
});

test("push puts there what ran before", async () => {
  await project.run();
  const place = project.path("shared");
  const push = async () => (await project.run("push", "--remote", "shared")).out;
  expect(await push()).toBe(`${place}: pushed 4 of 4 results, 0 existed.\n`);
  expect(await push()).toBe(`${place}: pushed 0 of 4 results, 4 existed.\n`);
  project.ran();
  await project.run("--cache", "second", "--remote", "shared");
  expect(project.ran()).toEqual([]);
});

test("objects that are corrupt there, or gone with the remote: their makers run again, after one warning", async () => {
  await project.run("--remote", "shared", "--remote-push");
  const good = published();
  project.ran();
  // Only the output of numbers is corrupt; it is needed as soon as scale runs.
  for (const entry of readdirSync(project.path("shared/objects"), { recursive: true, withFileTypes: true }))
    if (entry.isFile() && readFileSync(join(entry.parentPath, entry.name), "utf8") === "[1,2,3]")
      writeFileSync(join(entry.parentPath, entry.name), "[1,2,4]");
  await project.run("--cache", "second", "--remote", "shared");
  expect(project.ran()).toEqual([]);
  const bad = await project.run("--cache", "second", "--remote", "shared", "--profile", "large");
  expect(bad.code).toBe(0);
  expect(warnings(bad)).toHaveLength(1);
  expect(warnings(bad)[0]).toMatch(
    /: the object [0-9a-f]{8}… does not match its hash\. It counts as a miss\./,
  );
  expect(project.ran().sort()).toEqual(["numbers", "scale[by=4]", "scale[by=5]", "total"]);

  // A third store has the records, then the share is unmounted.
  await project.run("--cache", "third", "--remote", "shared");
  rmSync(project.path("shared"), { recursive: true });
  rmSync(project.path("reports"), { recursive: true });
  const gone = await project.run("--cache", "third", "--remote", "shared", "--set", "total.digits=1");
  expect(gone.code).toBe(0);
  expect(warnings(gone)).toHaveLength(1);
  expect(warnings(gone)[0]).toContain("cannot be reached (ENOENT");
  expect(gone.out + gone.err).not.toContain("! cache:");
  expect(published()).toEqual(good);
  expect(project.ran().sort()).toEqual(ALL);
});

test("records that nobody trusted signed are none; keys and places that are missing are said", async () => {
  await project.run("--remote", "shared", "--remote-push");
  project.ran();
  project.write("trusted-keys", makeSigner(project.path("other/key.pem")).publicKey);
  const untrusted = await project.run("--cache", "second", "--remote", "shared");
  expect(untrusted.code).toBe(0);
  expect(warnings(untrusted)).toHaveLength(1);
  expect(warnings(untrusted)[0]).toContain(`is signed by ${publicKey}, which trusted-keys does not list`);
  expect(project.ran().sort()).toEqual(ALL);

  rmSync(project.path("trusted-keys"));
  rmSync(project.path("settings"), { recursive: true });
  const faults: [string[], string][] = [
    [["--remote", "shared"], "no key is trusted, so nothing from there could be used."],
    [["--remote", "shared", "--remote-push"], "--remote-push: there is no key to sign with."],
    [["--remote-push"], "--remote: name the shared cache to push to"],
  ];
  for (const [args, line] of faults) {
    const { code, err } = await project.run("--cache", "third", ...args);
    expect(err).toContain(line);
    expect(code).toBe(2);
  }
});

test("S3 that takes the call and never answers, or goes away in the middle: one warning, and all runs", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((ready) => silent.on("listening", ready));
  const { port } = silent.address() as AddressInfo;
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${port}`);
  vi.stubEnv("DEEPHASH_REMOTE_TIMEOUT", "0.3");
  try {
    const late = await project.run("--remote", "s3://shared", "--remote-push");
    expect(late.code).toBe(0);
    expect(warnings(late)).toHaveLength(1);
    expect(warnings(late)[0]).toContain("cannot be reached (said nothing for 0.3 s)");
    expect(late.out).toContain(
      "Pushed 0 results to s3://shared; 4 were not uploaded: npm run pipeline -- push",
    );
  } finally {
    vi.stubEnv("DEEPHASH_REMOTE_TIMEOUT", "60");
    silent.close();
  }

  const other = await startLoopback();
  for (const [name, value] of Object.entries(other.env)) vi.stubEnv(name, value);
  try {
    const run = project.start("--cache", "second", "--remote", "s3://shared", "--remote-push", "--jobs", "1");
    while (!run.said().includes("✓")) await new Promise((soon) => setTimeout(soon, 5));
    await other.close();
    const broken = await run.ended;
    expect(broken.code).toBe(0);
    expect(warnings(broken)).toHaveLength(1);
    expect(ids("second", "records")).toEqual(ALL);
  } finally {
    for (const [name, value] of Object.entries(loopback.env)) vi.stubEnv(name, value);
  }
});
