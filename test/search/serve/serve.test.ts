/** The server: its answers, and its refusals. */
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Ajv } from "ajv";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../../search/cli.ts";
import { build } from "../../../search/index/build.ts";
import { updateIndex } from "../../../search/index/change.ts";
import { LIMITS } from "../../../search/serve/limits.ts";
import { OPENAPI } from "../../../search/serve/openapi.ts";
import { makeWorld, type World } from "../world.ts";
import { ask, type Body, image, json, type Named, type Response, startServer } from "./client.ts";

/** Milliseconds that a server may take to start, on a machine with much else to do. */
const START = 60_000;
const COUNT = 12;
const BITS = 6;
let world: World;
let server: Awaited<ReturnType<typeof startServer>>;
let photo: Buffer;

beforeAll(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "log").mockImplementation(() => {});
  world = await makeWorld(COUNT, BITS);
  await build(["photos"], { like: world.index, bits: BITS, out: "own" }, world.folder, world.folder);
  photo = readFileSync(world.photos[0]);
  server = await startServer({ index: "own" }, world.folder);
}, START);
afterAll(async () => {
  expect(await server.end()).toBe(0);
});

const get = (path: string, headers = {}) => ask(server.port, path, { headers });

/** Checks a body against what the description says of it. */
function expectAs(schema: string, { body }: Response): void {
  const check = new Ajv({ strict: false }).compile({
    $ref: `#/components/schemas/${schema}`,
    components: OPENAPI.components,
  });
  expect(check(JSON.parse(body.toString())), JSON.stringify(check.errors)).toBe(true);
}

describe("the interface", () => {
  test("finds an image by its bytes, as the command does, and as it is described", async () => {
    const response = await ask(server.port, "/search?top=12", image(photo));
    expect(response.status).toBe(200);
    expectAs("Answer", response);
    const { nearest, bits, code } = response.json();
    expect(bits).toBe(BITS);
    expect(nearest[0]).toMatchObject({
      image: "cat/0.png",
      class: "cat",
      same: true,
      score: 1,
      distance: 0,
      code,
    });
    const printed: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line) => printed.push(line));
    const args = ["search", world.photos[0], "--index", "own", "--top", "12", "--json"];
    expect(await main(args, world.folder, world.folder)).toBe(0);
    log.mockRestore();
    const own = JSON.parse(printed.join("\n"))[0].nearest;
    expect(
      nearest.map(({ id, code, ...one }) => ({
        ...one,
        image: join(world.folder, "photos", one.image),
      })),
    ).toEqual(own);
  });

  test("finds by an image of the index, and by what encode gives, the same", async () => {
    const [{ id }] = (await ask(server.port, "/search?top=1", image(photo))).json().nearest;
    const encoded = await ask(server.port, "/encode", image(photo));
    expectAs("Encoded", encoded);
    const { outputs, content, code } = encoded.json();
    const bodies = [{ id }, { outputs, content }];
    const [byId, byOutputs] = await Promise.all(
      bodies.map((one) => ask(server.port, "/search?top=12", json(one))),
    );
    const order = ({ body }: Response) =>
      (JSON.parse(body.toString()) as Body).nearest.map((one) => one.image);
    expect(order(byId)).toEqual(order(byOutputs));
    expect(byId.json().code).toBe(code);
    expect(byId.json().nearest[0]).toMatchObject({ image: "cat/0.png", same: true });
  });

  test("keeps to top, radius, class and filter", async () => {
    const of = async (params: string) =>
      (await ask(server.port, `/search?top=12&${params}`, image(photo))).json().nearest;
    expect(await of("radius=3")).toSatisfy((all: Named[]) => all.every(({ distance }) => distance <= 3));
    for (const params of ["class=dog", "filter=DO"]) {
      const found = await of(params);
      expect(found).toHaveLength(COUNT / 2);
      for (const one of found) expect(one.class).toBe("dog");
    }
    expect(await of("class=dog&filter=cat")).toEqual([]);
    expect(await of("class=dog&class=cat")).toHaveLength(COUNT);
  });

  test("lists some images, shows each, and describes the index", async () => {
    const listed = await get("/images?top=5&filter=dog");
    expectAs("Images", listed);
    const { images } = listed.json();
    expect(images).toHaveLength(5);
    for (const { id } of images) {
      const { status, headers, body } = await get(`/image/${id}?size=small`);
      expect([status, headers["content-type"]]).toEqual([200, "image/webp"]);
      expect((await sharp(body).metadata()).width).toBe(32);
    }
    const health = await get("/health");
    expectAs("Health", health);
    expect(health.json()).toMatchObject({
      status: "ok",
      index: "own",
      images: COUNT,
      classes: ["cat", "dog"],
    });
    expect((await get("/openapi.json")).json()).toEqual(JSON.parse(JSON.stringify(OPENAPI)));
  });

  test("has a page, whose files are its own, with a policy that lets nothing else in", async () => {
    const { body, headers } = await get("/");
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'/);
    for (const [, path] of body.toString().matchAll(/(?:href|src)="([^"]+)"/g))
      expect((await get(path)).status, path).toBe(200);
    expect(body.toString()).not.toMatch(/<script>|<style>|style=|onclick/);
  });
});

describe("the images of a data set", () => {
  test("are shown from their table, each from its own row", async () => {
    const own = await startServer({ index: world.index }, world.folder);
    const { images } = (await ask(own.port, "/images?top=12")).json();
    expect(images.map((one: Named) => one.image)).toEqual(world.images.map(({ id }) => String(id)));
    for (const [at, { id }] of images.entries()) {
      const { body } = await ask(own.port, `/image/${id}`);
      const seen = await sharp(body).resize(1, 1).raw().toBuffer();
      const there = await sharp(world.photos[at]).resize(1, 1).raw().toBuffer();
      for (let i = 0; i < 3; i++) expect(Math.abs(seen[i] - there[i])).toBeLessThan(10);
    }
    expect(await own.end()).toBe(0);
  });
});

describe("an attack", () => {
  test.each([
    "/image/../../etc/passwd",
    "/image/..%2f..%2f..%2fetc%2fpasswd",
    "/image//etc/passwd",
    "/../../../../etc/passwd",
    "/page.css/../../search.ts",
    "/image/0",
    "/image/-1",
    "/image/%00",
    "/image/ffffffff-0",
    "/constructor",
    "/__proto__",
    "/image/",
    "//evil.example/",
  ])("by the path %s finds nothing", async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(body.toString()).not.toMatch(/root:|import /);
  });

  test("by a row that there is not, of this version, finds nothing", async () => {
    const { id } = (await get("/images?top=1")).json().images[0];
    const [version] = id.split("-");
    for (const row of [COUNT, 9999999999, "1e1", "0x1"])
      expect((await get(`/image/${version}-${row}`)).status, String(row)).toBe(404);
  });

  test("by a link out of the folder, or a photo that is gone, gets no picture", async () => {
    const secret = world.at("secret.png");
    writeFileSync(secret, photo);
    const place = world.at("photos/dog/15.png");
    renameSync(place, world.at("kept.png"));
    symlinkSync(secret, place);
    const images = (await get("/images?top=12")).json().images;
    const { id } = images.find((one: Named) => one.image === "dog/15.png")!;
    expect((await get(`/image/${id}`)).status).toBe(404);
    rmSync(place);
    expect((await get(`/image/${id}`)).json().error).toMatch(/moved or deleted/);
    renameSync(world.at("kept.png"), place);
  });

  test.each([
    ["another site's name for this machine", { Host: "evil.example" }, 421],
    ["a name with a port", { Host: "evil.example:80" }, 421],
    ["a name that begins like ours", { Host: "localhost.evil.example" }, 421],
    ["no name", { Host: ":80" }, 421],
    ["another origin", { Origin: "http://evil.example" }, 403],
    ["a sandboxed origin", { Origin: "null" }, 403],
    ["another port's origin", { Origin: "http://127.0.0.1:1" }, 403],
    ["a picture in another site", { "Sec-Fetch-Site": "cross-site" }, 403],
    ["another port's page", { "Sec-Fetch-Site": "same-site" }, 403],
  ])("by %s gets no answer", async (_, headers, status) => {
    for (const path of ["/", "/health", "/images", "/openapi.json"]) {
      const response = await get(path, headers);
      expect(response.status, path).toBe(status);
      expect(response.headers["access-control-allow-origin"]).toBeUndefined();
    }
    const { status: found } = await ask(server.port, "/search", {
      ...image(photo),
      headers: { ...image(photo).headers, ...headers },
    });
    expect(found).toBe(status);
  });

  test("is told from the server's own page, a program, and a tunnel", async () => {
    const own = `http://127.0.0.1:${server.port}`;
    for (const headers of [
      { Origin: own, "Sec-Fetch-Site": "same-origin" },
      { "Sec-Fetch-Site": "none" },
      { Host: "localhost:9000", Origin: "http://localhost:9000" },
      { Host: `[::1]:${server.port}` },
      { Host: "192.168.1.7:8000" },
    ])
      expect((await get("/health", { Host: `127.0.0.1:${server.port}`, ...headers })).status).toBe(200);
  });

  test.each([
    ["GET", "/search", 405],
    ["PUT", "/encode", 405],
    ["DELETE", "/health", 405],
    ["POST", "/", 405],
    ["OPTIONS", "/search", 405],
  ])("by %s %s is refused", async (method, path, status) => {
    expect((await ask(server.port, path, { method })).status).toBe(status);
  });

  test.each([
    "text/html",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "",
  ])("by a body of the type %o, which a form of another site can send, is refused", async (type) => {
    const { status } = await ask(server.port, "/search", { body: photo, headers: { "Content-Type": type } });
    expect(status).toBe(415);
  });

  test.each([
    ["top=0", "top"],
    ["top=1001", "top"],
    ["top=1e3", "top"],
    ["top=5&top=6", "twice"],
    ["radius=-1", "radius"],
    ["radius=7", "radius"],
    ["order=random", "order"],
    ["class=horse", "no such class"],
    ["all_ties=yes", "all_ties"],
    ["index=/etc", "no parameter"],
    [`filter=${"a".repeat(201)}`, "filter"],
  ])("by the parameters %s is refused in words, before the image is encoded", async (params, words) => {
    const response = await ask(server.port, `/search?${params}`, image(photo));
    expect([response.status, response.json().error]).toEqual([400, expect.stringContaining(words)]);
    expect(response.json().error).not.toContain(world.folder);
  });

  test.each([
    ["{", 400],
    ["null", 400],
    ["[]", 400],
    ['{"id": 5}', 400],
    ['{"id": "0", "path": "/etc/passwd"}', 400],
    ['{"id": "../../etc/passwd"}', 404],
    ['{"outputs": [1, 2]}', 400],
    ['{"outputs": [1, 2, 3, 4, 5, 1e999]}', 400],
    ['{"outputs": ["1", 2, 3, 4, 5, 6]}', 400],
    ['{"outputs": [1, 2, 3, 4, 5, 6], "content": "zz"}', 400],
    [`{"outputs": [${"1,".repeat(40_000)}1]}`, 413],
  ])("by the JSON %.60s is refused", async (body, status) => {
    const headers = { "Content-Type": "application/json" };
    expect((await ask(server.port, "/search", { body, headers })).status).toBe(status);
  });

  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  test.each([
    ["no image", Buffer.from("GIF89a, as it says"), 422],
    ["text", Buffer.from("hello"), 422],
    ["a drawing, which may name files", Buffer.from(svg), 422],
    ["a document", Buffer.from("%PDF-1.4\n%%EOF"), 422],
    ["nothing", Buffer.alloc(0), 400],
  ])("by %s is refused", async (_, body, status) => {
    const { status: found, json } = await ask(server.port, "/encode", image(body));
    expect(found).toBe(status);
    expect(json().error).not.toMatch(/\/tmp|deephash-/);
  });

  test("by a truncated image is refused", async () => {
    expect((await ask(server.port, "/encode", image(photo.subarray(0, photo.length / 2)))).status).toBe(422);
  });

  test("by a small file of very many pixels is refused before they are decoded", async () => {
    const create = { width: 11_000, height: 10_000, channels: 3 as const, background: "red" };
    const bomb = await sharp({ create, limitInputPixels: false }).png().toBuffer();
    expect(bomb.length).toBeLessThan(LIMITS.imageBytes);
    const response = await ask(server.port, "/encode", image(bomb));
    expect([response.status, response.json().error]).toEqual([
      422,
      expect.stringContaining("11000 x 10000 pixels"),
    ]);
  });

  test("by a body that is too large ends there, whether or not it tells its size", async () => {
    const large = {
      ...image(photo),
      headers: { "Content-Type": "image/png", "Content-Length": String(2 ** 40) },
    };
    expect(await ask(server.port, "/encode", { ...large, body: "" }).catch(({ code }) => code)).toSatisfy(
      (found: unknown) => (found as Response).status === 413 || found === "ECONNRESET",
    );
    const status = await new Promise((resolve) => {
      const socket = connect(server.port, "127.0.0.1");
      const chunk = Buffer.alloc(1 << 20);
      let sent = 0;
      let answer = "";
      const more = () => {
        while (sent++ < 64)
          if (!socket.write(`100000\r\n${chunk.toString("latin1")}\r\n`)) return socket.once("drain", more);
        return undefined;
      };
      socket.on("data", (data) => {
        answer += data;
        resolve(answer.split("\r\n")[0]);
        socket.destroy();
      });
      socket.on("error", () => resolve(answer.split("\r\n")[0]));
      socket.write(
        "POST /encode HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
      more();
    });
    expect(status).toBe("HTTP/1.1 413 Payload Too Large");
  });

  test("leaves the server as it was", async () => {
    expect((await ask(server.port, "/search?top=1", image(photo))).json().nearest[0].image).toBe("cat/0.png");
  });
});

describe("the token", () => {
  const TOKEN = "0123456789abcdef0123";
  let own: typeof server;
  beforeAll(async () => {
    writeFileSync(world.at("token"), `${TOKEN}\n`);
    own = await startServer(
      { index: "own", tokenFile: "token", allowHost: ["Photos.Example"] },
      world.folder,
    );
  });
  afterAll(() => own.end());

  test("is asked for at every path, and is taken from the header or the cookie", async () => {
    for (const path of ["/", "/page.js", "/health", "/images", "/image/0", "/openapi.json", "/nowhere"])
      for (const headers of [
        {},
        { Authorization: "Bearer wrong" },
        { Cookie: "deephash=wrong" },
        { Cookie: `other=${TOKEN}` },
      ])
        expect((await ask(own.port, path, { headers })).status, path).toBe(401);
    for (const headers of [{ Authorization: `Bearer ${TOKEN}` }, { Cookie: `a=b; deephash=${TOKEN}` }])
      expect((await ask(own.port, "/health", { headers })).status).toBe(200);
    expect((await ask(own.port, `/health?token=${TOKEN}`)).status).toBe(401);
  });

  test("in the printed address becomes a cookie that no script and no other site uses", async () => {
    expect(own.url.searchParams.get("token")).toBe(TOKEN);
    const { status, headers } = await ask(own.port, `/${own.url.search}`);
    expect([status, headers.location]).toEqual([303, "/"]);
    expect(String(headers["set-cookie"])).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await ask(own.port, "/?token=wrong")).status).toBe(401);
  });

  test("comes with names that a person allows", async () => {
    const headers = { Authorization: `Bearer ${TOKEN}`, Host: "photos.example" };
    expect((await ask(own.port, "/health", { headers })).status).toBe(200);
  });

  test("is made where other machines can reach the server", async () => {
    const open = await startServer({ index: "own", host: "0.0.0.0" }, world.folder);
    for (const line of open.lines.slice(1)) expect(line).toMatch(/\?token=[\w-]{32}$/);
    expect((await ask(open.port, "/health")).status).toBe(401);
    await open.end();
  });

  test("that is too short is refused", async () => {
    writeFileSync(world.at("short"), "secret");
    await expect(startServer({ index: "own", tokenFile: "short" }, world.folder)).rejects.toThrow(
      /16 to 256/,
    );
    await expect(startServer({ index: "own", tokenFile: "none" }, world.folder)).rejects.toThrow(
      /no such file\. Make one: openssl/,
    );
    await expect(startServer({ index: "own", tokenFile: "." }, world.folder)).rejects.toThrow(
      /unreadable \(EISDIR.*\)\. Make one/,
    );
  });
});

describe("a start", () => {
  test("on a port that is taken ends in one line, and with its process", async () => {
    await expect(startServer({ index: "own", port: server.port }, world.folder)).rejects.toThrow(/--port/);
    await expect(startServer({ index: "own", port: 70_000 }, world.folder)).rejects.toThrow(/65535/);
  });

  test("requests beyond the rate wait", async () => {
    const own = await startServer({ index: "own", rate: 2 }, world.folder);
    const all = await Promise.all(Array.from({ length: 12 }, () => ask(own.port, "/health")));
    const counts = (status: number) => all.filter((one) => one.status === status).length;
    expect(counts(200)).toBeGreaterThanOrEqual(6);
    expect(counts(429)).toBeGreaterThanOrEqual(4);
    expect(all.find(({ status }) => status === 429)!.headers["retry-after"]).toBe("1");
    await own.end();
  });
});

test("outputs of another encoder than that of the index are refused", async () => {
  const encoded = (await ask(server.port, "/encode", image(photo))).json();
  const { outputs, content, encoder } = encoded;
  const searched = (by: object) => ask(server.port, "/search?top=1", json(by));
  expect((await searched({ outputs, content, encoder })).status).toBe(200);
  const refused = await searched({ outputs, content, encoder: "0".repeat(64) });
  expect(refused.status).toBe(409);
  expect(refused.json().error).toMatch(/another encoder now .* Encode the image again/);
});

test("an index that is updated is served as it is now; ids of the one before are gone", async () => {
  const before = (await get("/images?top=12")).json().images;
  writeFileSync(world.at("photos/dog/new.png"), await sharp(photo).flop().png().toBuffer());
  await updateIndex(world.at("own"), [], world.folder);
  await vi.waitFor(async () => expect((await get("/health")).json().images).toBe(COUNT + 1), {
    timeout: 20_000,
    interval: 200,
  });
  expect((await get(`/image/${before[0].id}`)).status).toBe(404);
  const { nearest } = (
    await ask(server.port, "/search?top=1", image(readFileSync(world.at("photos/dog/new.png"))))
  ).json();
  expect(nearest[0]).toMatchObject({ image: "dog/new.png", same: true });
});
