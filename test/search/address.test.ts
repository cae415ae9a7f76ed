/** Images at addresses of the web: which are read, and which are not. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { addressOf, fetchImage, isPublic } from "../../search/address.ts";
import { main } from "../../search/cli.ts";
import { build } from "../../search/index/build.ts";
import { scratch } from "../stages/shared/scratch.ts";
import { makeWorld, type World } from "./world.ts";

const allows = () => true;
const PNG = { "Content-Type": "image/png" };
let server: Server;
let port: number;
let asked: string[];
let photo: Buffer;

const answers: Record<string, RequestListener> = {
  "/photo": (_, response) => response.writeHead(200, PNG).end(photo),
  "/page": (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<p>"),
  "/nothing": (_, response) => response.writeHead(404, PNG).end(),
  "/large": (_, response) => response.writeHead(200, PNG).end(Buffer.alloc(5000)),
  "/endless": (_, response) => {
    response.writeHead(200, PNG);
    const timer = setInterval(() => response.write("a"), 20);
    response.on("close", () => clearInterval(timer));
  },
  "/silent": () => {},
  "/moved": (_, response) => response.writeHead(302, { Location: "/photo" }).end(),
  "/loop": (_, response) => response.writeHead(302, { Location: "/loop" }).end(),
  "/to-file": (_, response) => response.writeHead(302, { Location: "file:///etc/passwd" }).end(),
  "/inside": (_, response) => response.writeHead(302, { Location: `http://127.0.0.2:${port}/photo` }).end(),
};

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url!);
    answers[request.url!.split("?")[0]](request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe("an address", () => {
  const folder = scratch();
  const at = (path: string, host = "127.0.0.1") => addressOf(`http://${host}:${port}${path}`);
  const file = `${folder}/image`;
  beforeAll(() => {
    photo = Buffer.from("of an image");
    asked = [];
  });

  test.each([
    ...["127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254"],
    ...["100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1"],
    ...["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
  ])("%s is not public", (address) => expect(isPublic(address)).toBe(false));

  test.each(["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])("%s is public", (address) =>
    expect(isPublic(address)).toBe(true));

  test.each([
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0",
  ])("of the host %s is not asked", async (host) => {
    asked = [];
    await expect(fetchImage(at("/photo", host), file)).rejects.toThrow(/--allow-private/);
    expect(asked).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });

  test("is read where it is allowed, also by a redirect", async () => {
    for (const path of ["/photo", "/moved"]) {
      await fetchImage(at(path), file, { allows });
      expect(readFileSync(file)).toEqual(photo);
    }
  });

  test("that redirects into a private network is not followed there", async () => {
    asked = [];
    const outside = (address: string) => address === "127.0.0.1";
    await expect(fetchImage(at("/inside"), file, { allows: outside })).rejects.toThrow(
      /127\.0\.0\.2 is an address/,
    );
    expect(asked).toEqual(["/inside"]);
  });

  test.each([
    ["/page", /its type is text\/html/],
    ["/nothing", /answers with 404/],
    ["/large", /larger than 4\.0 KB/],
    ["/endless", /longer than 0\.3 s/],
    ["/silent", /longer than 0\.3 s/],
    ["/loop", /more than 5 times/],
    ["/to-file", /redirects to file:/],
  ])("%s is refused in one line, without what may be secret in it", async (path, words) => {
    const error = await fetchImage(at(`${path}?key=secret`), file, {
      allows,
      most: 4000,
      timeout: 300,
    }).catch((fault: Error) => fault);
    expect(String(error)).toMatch(words);
    expect(String(error)).not.toMatch(/secret|\n/);
  });

  test.each([
    "file:///etc/passwd",
    "ftp://a/b.png",
    "data:image/png;base64,",
    "photo.png",
    "",
  ])("%o is none of the web", (text) => expect(() => addressOf(text)).toThrow(/https:\/\//));
});

describe("search --url", () => {
  let world: World;
  const out: string[] = [];
  const err: string[] = [];
  const run = (...args: string[]) => {
    out.splice(0);
    err.splice(0);
    return main(["search", "--index", "own", "--json-lines", ...args], world.folder, world.folder);
  };
  const url = (path: string) => `http://localhost:${port}${path}`;
  beforeAll(async () => {
    vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
    vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
    world = await makeWorld(8, 4);
    await build(["photos"], { like: world.index, bits: 4, out: "own" }, world.folder, world.folder);
    photo = readFileSync(world.photos[1]);
  }, 60_000);

  test("finds the image at an address, beside files", async () => {
    expect(await run(world.photos[0], "--url", url("/photo?key=secret"), "--allow-private")).toBe(0);
    const found = out.map((line) => JSON.parse(line));
    expect(found.map(({ query }) => query)).toEqual([world.photos[0], `${url("/photo")}?…`]);
    expect(found[1].nearest[0]).toMatchObject({ image: world.photos[1], same: true });
  });

  test("passes over an address that has no image, and goes on", async () => {
    expect(await run("--url", url("/page"), "--url", url("/photo"), "--allow-private")).toBe(2);
    expect(out).toHaveLength(1);
    expect(err[0]).toMatch(/its type is text\/html.* It was passed over/);
  });

  test("draws no document, under any type", async () => {
    photo = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    expect(await run("--url", url("/photo"), "--allow-private")).toBe(2);
    expect(err[0]).toMatch(/unreadable image/);
  });

  test("is needed for an address, and something to search by is", async () => {
    asked = [];
    expect(await run(url("/photo"))).toBe(2);
    expect(err.pop()).toMatch(/only when asked for: --url/);
    expect(await run()).toBe(2);
    expect(err[0]).toMatch(/--url ADDRESS/);
    expect(await run("--url", url("/photo"))).toBe(2);
    expect(err[0]).toMatch(/--allow-private/);
    expect(asked).toEqual([]);
  });
});
