/**
 * Latency of `serve`: 200 images searched, 8 at a time, each sent as a file; then as many searches by an image of the
 * index, which need no encoder. Prints p50 and p99 of the answers, requests a second, and the memory of both processes.
 *
 * `node bench/run.mjs serve INDEX FOLDER_OF_IMAGES`
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { random } from "../stages/shared/compute/random.ts";

const [REQUESTS, AT_ONCE] = [200, 8];
const [index, folder] = process.argv.slice(2);
if (!index || !folder) throw new Error("node bench/run.mjs serve INDEX FOLDER_OF_IMAGES");

const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(jpe?g|png|webp)$/i.test(file))
  .sort();
const images = random(1, "requests")
  .shuffle(files)
  .slice(0, REQUESTS)
  .map((file) => readFileSync(join(folder, file)));

const server = spawn(process.execPath, ["search/main.mjs", "serve", "--index", index, "--port", "0"], {
  stdio: ["ignore", "pipe", "inherit"],
});

async function addressOfServer(): Promise<string> {
  for await (const line of createInterface(server.stdout!)) {
    const address = /http:\/\/\S+/.exec(line)?.[0];
    if (address) return address;
  }
  throw new Error("the server did not start");
}

/** Megabytes of a process and of those that it started; 0 off Linux. */
function memory(pid: number): number {
  if (!existsSync(`/proc/${pid}/status`)) return 0;
  const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  return children.reduce((sum, child) => sum + memory(Number(child)), own);
}

async function load(name: string, send: (request: number) => Promise<Response>): Promise<void> {
  const took: number[] = [];
  let lost = 0;
  let next = 0;
  const began = performance.now();
  const sender = async () => {
    for (let request = next++; request < REQUESTS; request = next++) {
      const start = performance.now();
      const response = await send(request);
      await response.arrayBuffer();
      took.push(performance.now() - start);
      lost += Number(!response.ok);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  const seconds = (performance.now() - began) / 1000;
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.ceil(share * REQUESTS) - 1].toFixed(1);
  console.log(
    `${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${Math.round(REQUESTS / seconds)} a second, ${lost} of ${REQUESTS} lost, ${Math.round(memory(server.pid!))} MB`,
  );
}

try {
  const address = await addressOfServer();
  const search = (body: Uint8Array | string, type: string) =>
    fetch(`${address}search?top=10`, {
      method: "POST",
      body,
      headers: { "Content-Type": type },
    });
  const byImage = (request: number) => search(images[request % images.length], "application/octet-stream");
  const { images: listed } = (await (await fetch(`${address}images?top=${REQUESTS}`)).json()) as {
    images: { id: string }[];
  };
  const byId = (request: number) =>
    search(JSON.stringify({ id: listed[request % listed.length].id }), "application/json");
  await load("warming up", byImage);
  for (const round of [1, 2, 3]) await load(`images, round ${round}`, byImage);
  await load("by id", byId);
  console.log(`${AT_ONCE} requests at a time; the p50 of one alone:`);
  const alone: number[] = [];
  for (let request = 0; request < 20; request++) {
    const start = performance.now();
    await (await byImage(request)).arrayBuffer();
    alone.push(performance.now() - start);
  }
  alone.sort((a, b) => a - b);
  console.log(`${alone[10].toFixed(1)} ms`);
} finally {
  server.kill("SIGINT");
}
