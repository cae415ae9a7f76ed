/** The server under load and attack: slow senders, an encoder that crashes or hangs, and many requests. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { build } from "../../../search/index/build.ts";
import type { Answer, Question } from "../../../search/serve/encoder-process.ts";
import { Encoding } from "../../../search/serve/encoding.ts";
import { LIMITS } from "../../../search/serve/limits.ts";
import { makeServer } from "../../../search/serve/server.ts";
import { scratch } from "../../stages/shared/scratch.ts";
import { makeWorld, type World } from "../world.ts";
import { ask, image } from "./client.ts";

/** A process that answers as it is told: by the name of the file. */
class FakeProcess extends EventEmitter {
  connected = true;
  /** Files that it has, and has not answered. */
  readonly has: string[] = [];
  constructor() {
    super();
    setImmediate(() => this.tell({ kind: "ready", encoder: "" }));
  }
  private tell(answer: Answer): void {
    this.emit("message", answer);
  }
  send({ id, path }: Question): void {
    this.has.push(path);
    if (path === "crash") setImmediate(() => this.kill());
    else if (path === "refuse") this.tell({ kind: "refused", id, status: 422, fault: "no image" });
    else if (path !== "hang")
      setTimeout(
        () =>
          this.connected &&
          this.tell({ kind: "encoded", id, outputs: Float32Array.of(1), content: Buffer.of(1) }),
        5,
      );
  }
  kill(): void {
    this.disconnect();
    this.emit("exit");
  }
  disconnect(): void {
    this.connected = false;
  }
}

describe("the encoder", () => {
  const started: FakeProcess[] = [];
  const encodingOf = async (limits: Partial<typeof LIMITS> = {}) => {
    started.length = 0;
    const start = () => {
      started.push(new FakeProcess());
      return started.at(-1) as unknown as ChildProcess;
    };
    const encoding = new Encoding("index", start, { ...LIMITS, ...limits });
    await encoding.open();
    return encoding;
  };
  const statuses = async (all: Promise<unknown>[]) =>
    (await Promise.allSettled(all)).map((one) => (one.status === "fulfilled" ? 200 : one.reason.status));

  test("that crashes is started again: the image that did it is refused, all others are encoded", async () => {
    const encoding = await encodingOf();
    const files = ["a", "b", "crash", "c", "d"];
    expect(await statuses(files.map((file) => encoding.encode(file)))).toEqual([200, 200, 422, 200, 200]);
    expect(started.length).toBeGreaterThan(1);
    expect(await statuses([encoding.encode("e")])).toEqual([200]);
    encoding.close();
  });

  test("that hangs is ended after a time, and started again", async () => {
    const encoding = await encodingOf({ encode: 100 });
    const hanging = encoding.encode("hang");
    expect(await statuses([hanging])).toEqual([504]);
    expect(await statuses([encoding.encode("a")])).toEqual([200]);
    expect(started).toHaveLength(2);
    encoding.close();
  });

  test("lets only so many images wait", async () => {
    const encoding = await encodingOf({ waiting: 3 });
    expect(await statuses(["a", "b", "refuse"].map((file) => encoding.encode(file)))).toEqual([
      200, 200, 422,
    ]);
    const four = ["hang", "hang", "hang"].map((file) => encoding.encode(file));
    expect(() => encoding.encode("d")).toThrow(/wait already/);
    encoding.close();
    expect(await statuses(four)).toEqual([503, 503, 503]);
  });
});

describe("a slow sender", () => {
  const limits = { ...LIMITS, head: 200, request: 400, idle: 200, connections: 8 };
  let server: Server;
  let port: number;
  beforeAll(async () => {
    const shared = { name: "", live: {}, encoding: {}, scratch: scratch(), page: new Map() } as never;
    server = makeServer(shared, { names: [], rate: 1000 }, limits);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
    return () => server.close();
  });
  /** The first line of the answer to a request whose end never comes. */
  const answerTo = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      const drip = setInterval(() => socket.write("a"), 50);
      let answer = "";
      socket.on("data", (data) => {
        answer += data;
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        clearInterval(drip);
        resolve(answer.split("\r\n")[0]);
      });
    });

  test("of a head, or of a body, is told and cut", async () => {
    expect(await answerTo("GET / HTTP/1.1\r\nHost: localhost\r\nX: ")).toBe("HTTP/1.1 408 Request Timeout");
    const body = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    expect(await answerTo(body)).toMatch(/^HTTP\/1.1 40[48]/);
  });

  test("does not keep others out: connections beyond a number are closed", async () => {
    const all = Array.from({ length: 30 }, () => answerTo("GET / HTTP/1.1\r\nX: "));
    const answers = await Promise.all(all);
    expect(answers.filter((one) => one === "").length).toBeGreaterThanOrEqual(30 - limits.connections);
    expect((await ask(port, "/nowhere")).status).toBe(404);
  });
});

/** Megabytes of a process and those that it started; undefined off Linux. */
function memoryOf(pid: number): number | undefined {
  if (!existsSync(`/proc/${pid}/status`)) return undefined;
  const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean);
  return children.reduce((sum, child) => sum + (memoryOf(Number(child)) ?? 0), own);
}

describe("many requests", () => {
  const MOST_GROWTH_MB = 40;
  let world: World;
  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    world = await makeWorld(24, 8);
    await build(["photos"], { like: world.index, bits: 8, out: "own" }, world.folder, world.folder);
  }, 60_000);

  test("200, 8 at a time, are all answered, each for its own image, and memory stays flat", async () => {
    const child = spawn(
      process.execPath,
      ["search/main.mjs", "serve", "--index", world.at("own"), "--port", "0", "--rate", "100000"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      let said = "";
      child.stdout.on("data", (data) => {
        said += data;
      });
      await vi.waitFor(() => expect(said).toMatch(/:\d+\/\n/), 60_000);
      const port = Number(/:(\d+)\/\n/.exec(said)![1]);
      const photos = world.photos.map((path) => ({ path, bytes: readFileSync(path) }));
      const round = async () => {
        let next = 0;
        let right = 0;
        const sender = async () => {
          for (let at = next++; at < 200; at = next++) {
            const { path, bytes } = photos[at % photos.length];
            const response = await ask(port, "/search?top=3", image(bytes));
            right += Number(response.status === 200 && path.endsWith(response.json().nearest[0].image));
          }
        };
        await Promise.all(Array.from({ length: 8 }, sender));
        return right;
      };
      expect(await round()).toBe(200);
      expect(await round()).toBe(200);
      const before = memoryOf(child.pid!);
      expect(await round()).toBe(200);
      const after = memoryOf(child.pid!);
      if (before !== undefined) expect(after! - before).toBeLessThan(MOST_GROWTH_MB);
    } finally {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      expect(await ended).toBe(0);
    }
  });
});
