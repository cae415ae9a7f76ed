import { describe, expect, it } from "vitest";
import { GREY, looksOf, methodKey } from "../../../../stages/shared/runs/looks.ts";
import { axisWords, namesOf, partWords } from "../../../../stages/shared/runs/words.ts";

const training = (hidden: number) => ({ training: { network: { use: "mlp", hidden: [hidden] } } });
const named = (label: string, point: Record<string, string | number>, hidden = 512) => ({
  label,
  point,
  recipe: training(hidden),
});

describe("namesOf", () => {
  it("says loss, mining, an unusual width and the steps in words", () => {
    const names = namesOf([
      named("facenet · all", { loss: "facenet", selector: "all" }),
      named("hoffer-ailon · all", { loss: "hoffer-ailon", selector: "all" }),
      named(
        "facenet · semihard-negative · steps 2000",
        { loss: "facenet", selector: "semihard-negative", steps: 2000 },
        1024,
      ),
    ]);
    expect([...names.values()]).toEqual([
      "FaceNet, all triplets",
      "Hoffer & Ailon, all triplets",
      "FaceNet, semi-hard, 1,024 units, 2,000 steps",
    ]);
  });

  it("puts the method of a code first and its length last, with the protocol of a training", () => {
    const names = namesOf([
      named("wide · scales · dtsh · bits 48 · P1", {
        head: "wide",
        views: "scales",
        loss: "dtsh",
        bits: 48,
        protocol: "P1",
      }),
      { label: "raw features", point: {}, recipe: {} },
      { label: "evaluate", point: {}, recipe: {} },
    ]);
    expect([...names.values()]).toEqual([
      "DTSH, wide, scales, 48 bits, P1",
      "pretrained features",
      "evaluate",
    ]);
  });

  it("gives no two groups one name", () => {
    const names = namesOf([
      { label: "a-b", point: { kind: "a-b" }, recipe: {} },
      { label: "a b", point: { kind: "a b" }, recipe: {} },
    ]);
    expect(new Set(names.values()).size).toBe(2);
  });

  it("keeps what it does not know, without its hyphens", () => {
    expect(partWords("my-own-loss")).toBe("my own loss");
    expect(partWords("margin-16")).toBe("margin 16");
    expect(partWords("toString")).toBe("toString");
    expect(axisWords("margin", 0.5)).toBe("margin 0.5");
  });
});

describe("looksOf", () => {
  it("gives a selector one colour with every loss, and a code one for all its lengths", () => {
    expect(methodKey({ loss: "facenet", selector: "all" }, "")).toBe(
      methodKey({ loss: "hoffer-ailon", selector: "all" }, ""),
    );
    expect(methodKey({ loss: "dtsh", bits: 12 }, "")).toBe(methodKey({ loss: "dtsh", bits: 48 }, ""));
    expect(methodKey({ loss: "dtsh", bits: 12 }, "")).not.toBe(
      methodKey({ loss: "dtsh", views: "crop", bits: 12 }, ""),
    );
  });

  it("goes round when the colours are used up, and says how often", () => {
    const groups = Array.from({ length: 10 }, (_, at) => ({ label: `l${at}`, point: { loss: `l${at}` } }));
    const looks = [...looksOf(groups).values()];
    expect(new Set(looks.map(({ colour, round }) => `${colour} ${round}`)).size).toBe(10);
    expect(looks[8]).toEqual({ colour: 0, round: 1 });
    expect(looks).not.toContainEqual(GREY);
  });
});
