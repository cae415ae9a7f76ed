import { describe, expect, test } from "vitest";
import { keyOfRecord } from "../../../runner/code/bundle.ts";
import { difference } from "../../../runner/plan/changes.ts";
import { keyParts } from "../../../runner/plan/key.ts";
import type { Task } from "../../../runner/plan/task.ts";
import type { StageRecord } from "../../../runner/store/record.ts";
import { brief, dotted, oneLine, redacted } from "../../../runner/text/one-line.ts";

describe("a web address", () => {
  test.each([
    ["https://me:pass@host/a.bin", "https://***@host/a.bin"],
    ["s3://me:p@ss@bucket/x", "s3://***@bucket/x"],
    ["https://me:pa/ss@host/x?y=1", "https://***@host/x?y=***"],
    [
      'urls: ["https://h/a?token=abc&v=1#part","http://h/b"]',
      'urls: ["https://h/a?token=***&v=***#part","http://h/b"]',
    ],
    ["http://h:8080/a,http://u:p@h/b", "http://h:8080/a,http://***@h/b"],
    ["curl 'https://u:p@h/x?sig=a%2Fb' -o out", "curl 'https://***@h/x?sig=***' -o out"],
    ["a@b.c and https://host/@scope/name", "a@b.c and https://host/@scope/name"],
    ["no address: a?b=c", "no address: a?b=c"],
  ])("%s", (text, told) => {
    const made = redacted(text);
    expect(made.replace(/\*\*\*[0-9a-f]{8}/g, "***")).toBe(told);
    expect(redacted(made)).toBe(made);
  });

  test("takes a time that grows with its length alone", () => {
    const began = performance.now();
    for (const text of ["a://", "a.", "a://?=&", "://@"]) redacted(`x://${text.repeat(200_000)}`);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  test("keeps secrets out of messages, keys, records and reasons, which only report that it changed", () => {
    const params = (secret: string) => ({ urls: [`https://me:${secret}@h/a?key=${secret}`] });
    expect(brief(params("s3cret"))).not.toContain("s3cret");
    const task = (secret: string) =>
      ({
        codeHash: "1",
        parts: { dataset: { name: "d", code: { hash: "2" }, params: params(secret) } },
        params: params(secret),
        inputs: {},
      }) as unknown as Task;
    const parts = (secret: string) =>
      keyParts(
        task(secret),
        () => undefined,
        () => "",
      )!;
    const record = parts("s3cret") as unknown as StageRecord;
    expect(JSON.stringify(record)).not.toContain("s3cret");
    expect(keyOfRecord(record)).toBe(keyOfRecord(parts("s3cret")));
    expect(keyOfRecord(record)).not.toBe(keyOfRecord(parts("n3w")));
    const changes = difference({ ...record, packages: [] }, parts("n3w"), () => undefined, {});
    expect(changes).toHaveLength(2);
    expect(changes[1]).toMatch(/^urls: \["https:\/\/\*{3}\w{8}@h\/a\?key=\*{3}\w{8}"\] → /);
    expect(changes.join("")).not.toMatch(/s3cret|n3w/);
  });
});

describe("a message", () => {
  test("of a text without end keeps the place before it and the advice behind it", () => {
    const made = oneLine(`a.yaml:1:1 train: no stage ${"of many words ".repeat(300)}. Remove it.`);
    expect(made.length).toBeLessThan(1300);
    expect(made).toMatch(/^a\.yaml:1:1 train: no stage of many words .* … .* of many words \. Remove it\.$/);
  });

  test.each<[(string | number)[], string]>([
    [["train", "with", "margin"], "train.with.margin"],
    [["points", 0], "points.0"],
    [["train", " "], 'train." "'],
    [["train", "\u0007\u0007x"], 'train."\\u0007\\u0007x"'],
    [["train", "of many words ".repeat(9)], `train.${"of many words ".repeat(9).slice(0, 80)}…`],
  ])("names the place of a key: %j", (path, told) => {
    expect(dotted(path)).toBe(told);
  });
});
