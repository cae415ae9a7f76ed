/** NODE_EXTRA_CA_CERTS holds in a stage, its threads and what it starts, though Node does not read it at the start. */
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project } from "../runner/project.ts";

/** A certificate of localhost for a hundred years that no one else trusts, and its key: for this test alone. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUBkWs5HjUUpWLrOiZzGeBQ3lk7towCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNjExNDU1M1oYDzIxMjYxMTAy
MTE0NTUzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAR5M77DS2j/vrdjdw4HjFuTHat1Dfp+uTNjP5xXZIeRmMjady0n5i3d
XYh+id4mK8aWgjsu7SySAF8wBiy8nu3qo2kwZzAdBgNVHQ4EFgQUHn/sQHxvS6ky
4nETR06Tk03w7PYwHwYDVR0jBBgwFoAUHn/sQHxvS6ky4nETR06Tk03w7PYwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgLUkAKK67qG0qkjI8zyJQFgpvLhlKmGOLGkQK8l619MsCIQDkTZ0DQc0E
8C19+7OypBUz2bnuKhcSgi2b7AOjs4osVg==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9iytsPGnVc0EkJvH
FlfvOy3t1TL31m86/JqPYnkQHVyhRANCAAR5M77DS2j/vrdjdw4HjFuTHat1Dfp+
uTNjP5xXZIeRmMjady0n5i3dXYh+id4mK8aWgjsu7SySAF8wBiy8nu3q
-----END PRIVATE KEY-----
`;

const STAGE = `
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { Worker } from "node:worker_threads";
import { defineStage } from "../../runner/stage.ts";
const ask = (url) => new Promise((done) => get(url, (answer) => done(answer.resume().statusCode)).on("error", ({ code }) => done(code)));
export default defineStage<{ word: string }>({
  params: "trouble",
  inputs: {},
  outputs: { text: "text.txt" },
  async run({ params, outputs }) {
    const url = params.word;
    const thread = new Worker(
      'const { workerData, parentPort } = require("node:worker_threads"); fetch(workerData).then(({ status }) => parentPort.postMessage(status), ({ cause }) => parentPort.postMessage(cause.code));',
      { eval: true, workerData: url },
    );
    const threads = await new Promise((done) => thread.once("message", done));
    const own = await fetch(url).then(({ status }) => status, ({ cause }) => cause.code);
    const started = execFileSync("bash", ["-c", "echo $NODE_EXTRA_CA_CERTS"], { encoding: "utf8" }).trim();
    const atStart = /(^|\\0)NODE_EXTRA_CA_CERTS=/.test(readFileSync("/proc/self/environ", "utf8"));
    writeFileSync(outputs.text, JSON.stringify({ https: await ask(url), own, threads, started, atStart }));
  },
});
`;

const project = new Project();
let server: Server;

beforeAll(async () => {
  server = createServer({ key: KEY, cert: CERTIFICATE }, (_, answer) => answer.end("well"));
  await new Promise<void>((ready) => server.listen(0, ready));
});
afterAll(() => {
  server.close();
  project.remove();
});

/** The stage's result. */
async function ask(env: Record<string, string>) {
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  project.reset({
    "pipeline.yaml": JSON.stringify({
      profiles: { small: {} },
      stages: { ask: { uses: "ask", with: { word: url }, publish: "reports" } },
    }),
    "stages/ask/stage.ts": STAGE,
    "certificates.pem": CERTIFICATE,
  });
  project.env = env;
  const { code, out, err } = await project.run("--strict");
  expect(code, out + err).toBe(0);
  return { ...JSON.parse(project.read("reports/text.txt")), said: out + err };
}

test("https, fetch and threads trust it, and what the stage starts sees it", async () => {
  const file = project.path("certificates.pem");
  const found = await ask({ NODE_EXTRA_CA_CERTS: file });
  expect(found).toMatchObject({ https: 200, own: 200, threads: 200, started: file, atStart: false });
});

test("nothing else is trusted", async () => {
  const refused = "DEPTH_ZERO_SELF_SIGNED_CERT";
  expect(await ask({ NODE_EXTRA_CA_CERTS: "" })).toMatchObject({
    https: refused,
    own: refused,
    threads: refused,
  });
  expect(await ask({ NODE_EXTRA_CA_CERTS: project.path("none.pem") })).toMatchObject({ https: refused });
});
