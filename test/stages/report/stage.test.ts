import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { PageData } from "../../../stages/report/page/data.ts";
import { runStage } from "../../run-stage.ts";
import { makeNeighbours } from "./neighbours.ts";
import { makeStudy, plannedRuns } from "./study.ts";

const study = makeStudy(120);
afterAll(() => study.remove());
const { metrics, queries, histories, timings, choices } = study;

/** A folder of one figure, as plot leaves it. */
const figures = join(study.folder, "figures");

mkdirSync(figures);
writeFileSync(
  join(figures, "figures.json"),
  JSON.stringify([{ name: "map-official", title: "mAP", caption: "A caption.", alt: "A bar <chart>" }]),
);
writeFileSync(join(figures, "map-official.svg"), "<svg/>");
writeFileSync(join(figures, "map-official.png"), "PNG");

const neighbours = join(study.folder, "neighbours.json");
writeFileSync(neighbours, JSON.stringify(makeNeighbours(120)));

const params = { profile: "sample", resamples: 200, folder: "reports/made" };
const inputs = { metrics, queries, histories, timings, choices, figures, maps: study.maps, neighbours };
/** A page without its scripts. */
const markup = (page: string) => page.replaceAll(/<script[\s\S]*?<\/script>/g, "");
/** The data of a page's script. */
const dataOf = (page: string): PageData =>
  JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]);
const run = runStage("report", { params, inputs });
const read = async (output: string) => readFileSync((await run).outputs[output], "utf8");

describe("report", () => {
  it("writes the numbers that a check can hold a run to", async () => {
    const found = JSON.parse(await read("metrics"));
    const { groups, differences, queries: asked } = found.protocols.official;
    expect(asked).toBe(120);
    expect(Object.keys(groups)).toHaveLength(9);
    const { map } = groups["facenet · semihard-negative"].metrics;
    const values = metrics
      .filter(({ point }) => point.loss === "facenet" && point.selector === "semihard-negative")
      .map(({ path }) => JSON.parse(readFileSync(path, "utf8")).metrics.map.value);
    expect(map.mean).toBeCloseTo((values[0] + values[1] + values[2]) / 3, 5);
    expect(map.values).toHaveLength(3);
    expect(map.seeds.low).toBeLessThan(map.mean);
    expect(map.queries.high).toBeGreaterThan(map.mean);
    expect(groups["raw features"].metrics.map.seeds).toBeUndefined();
    expect(Object.keys(differences.map)).toHaveLength(36);
    const raw = differences.map["facenet · semihard-negative less raw features"];
    expect(raw.low).toBeGreaterThan(0.4);
    expect(raw.high).toBeGreaterThan(raw.difference);
    expect(found.validation.trainings["facenet · hardest-negative"].collapsed).toBe(3);
    expect(found.validation.choices["select[loss=facenet,selector=all]"]).toEqual({
      "0.1": 0.84,
      "0.2": 0.88,
      "0.5": 0.87,
    });
  });

  it("says in words what the numbers hold", async () => {
    const report = await read("report");
    expect(report).toContain("### How good are the pretrained features?");
    expect(report).toMatch(
      /The best training \(FaceNet, semi-hard, 3 seeds\) has a mAP of 0\.87\d: \+0\.4\d\d .*, significant;/,
    );
    expect(report).toContain("`reports/made#official.raw/features.map.mean`");
    expect(report).toContain("Collapse: hardest negatives (3 of 3 collapsed).");
    expect(report).toMatch(/\* FaceNet, semi-hard is above pretrained features in mAP by 0\.4\d+/);
    expect(report).toMatch(/No significant difference in kNN accuracy between/);
    expect(report).toContain("| FaceNet, all triplets | 0.8400 | **0.8800** | 0.8700 | 0.2 |");
    expect(report.match(/<details>/g)!.length).toBe(report.match(/<\/details>/g)!.length);
    expect(report).toContain("3 of 3 collapsed");
    expect(report).toContain("![A bar &lt;chart>](figures/map-official.png)");
    expect(report).not.toContain("NaN");
    expect(report).not.toContain("Graded relevance");
    expect(report).not.toContain("undefined");
  });

  it("makes a page that needs nothing beside it", async () => {
    const page = markup(await read("page"));
    const sources = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to]) => to);
    const local = /^(data:|#|(metrics|comparisons|trainings|provenance|timings)\.(json|csv|md|html)$)/;
    expect(await read("page")).toContain('<script src="timings/seconds.js"></script>'); // shown where it is there
    for (const to of sources) expect(to).toMatch(local);
    expect(page).not.toContain("data:image/svg+xml"); // its bars are in the table
    for (const anchor of sources.filter((to) => to.startsWith("#")))
      expect(page).toContain(`id="${anchor.slice(1)}"`);
    expect(page.match(/<table>/g)!.length).toBe(page.match(/<caption>/g)!.length);
    expect(page).not.toMatch(/NaN<|undefined/);
  });

  it("gives the page's script the study's numbers", async () => {
    const { maps, runs, confusions, neighbours: browsed } = dataOf(await read("page"));
    expect(browsed).toEqual(makeNeighbours(120));
    expect(maps.map(({ title, representation }) => [title, representation])).toEqual([
      ["pretrained features", 0],
      ["FaceNet, semi-hard, seed 1", 1],
    ]);
    for (const { x, y, ids } of maps) {
      expect(ids).toHaveLength(120);
      expect(Math.min(...x, ...y)).toBe(0);
      expect(Math.max(...x, ...y)).toBe(1);
    }
    expect(runs).toHaveLength(histories.length);
    expect(runs.every(({ seconds }) => seconds === undefined)).toBe(true);
    const [{ groups, queries: asked }] = confusions;
    expect(groups).toHaveLength(9);
    expect(asked).toEqual(new Array(10).fill(12));
    // The study's wrong predictions are all the next class.
    for (const { shares } of groups)
      for (const [label, row] of shares.entries()) {
        expect(row[label] + row[(label + 1) % 10]).toBeCloseTo(1, 3);
        expect(row.filter((share) => share > 0).length).toBeLessThanOrEqual(2);
      }
    const seconds = dataOf(await read("timings_page")).runs.map((one) => one.seconds!.at(-1));
    expect(seconds[0]).toBeCloseTo(11, 2);
  });

  it("leads from each row to how it was made", async () => {
    const page = markup(await read("page"));
    expect(page).toContain('<a href="#made-facenet-semihard-negative">FaceNet, semi-hard</a>');
    expect(page.match(/<tr id="made-facenet-semihard-negative">/g)).toHaveLength(1);
    expect(await read("report")).not.toContain("made-");
  });

  it("lays the page with images in a folder of its own, where there are thumbnails", async () => {
    const { outputs } = await run;
    expect(readdirSync(outputs.page_with_images)).toEqual([]);
    const thumbnails = join(study.folder, "thumbnails");
    mkdirSync(thumbnails);
    writeFileSync(join(thumbnails, "sheet.json"), JSON.stringify({ side: 32, columns: 21, count: 420 }));
    writeFileSync(join(thumbnails, "sheet.webp"), "WEBP");
    const again = await runStage("report", { params, inputs: { ...inputs, thumbnails } });
    expect(readFileSync(again.outputs.page, "utf8")).toBe(await read("page")); // without a pixel
    const page = readFileSync(join(again.outputs.page_with_images, "index.html"), "utf8");
    expect(dataOf(page).thumbnails).toEqual({
      sheet: `data:image/webp;base64,${Buffer.from("WEBP").toString("base64")}`,
      side: 32,
      columns: 21,
    });
    expect(markup(page)).toContain('href="../metrics.json"');
  });

  it("names the run, the file and the command behind each row", async () => {
    const provenance = await read("provenance");
    const { hash, id } = metrics[1];
    expect(provenance).toContain(hash.slice(0, 16));
    expect(provenance).toContain(`npm run pipeline -- --profile sample --only '${id}'`);
    expect(provenance).toContain('"margin":0.2');
  });

  it("marks collapsed runs beside their means", async () => {
    const row = (await read("report"))
      .split("## Representations")[1]
      .split("\n")
      .find((line) => line.startsWith("| FaceNet, hardest negatives"));
    expect(row).toMatch(/^\| FaceNet, hardest negatives \(3 of 3 collapsed\) \|/);
    const page = markup(await read("page"));
    expect(page.match(/FaceNet, hardest negatives<\/a> <em class="badge">3 of 3 collapsed/g)).toHaveLength(2); // representations, trainings
    const { runs } = dataOf(await read("page"));
    expect(runs.filter(({ collapsed }) => collapsed)).toHaveLength(6);
  });

  it("says the width and the steps of a longer training in its name", async () => {
    const wide = { steps: 900, network: { use: "mlp", hidden: [1024] } };
    const long = { loss: "facenet", selector: "all", steps: 900, seed: 1 };
    const own = makeStudy(90, [...plannedRuns([1]), { point: long, settings: wide, map: 0.9, knn: 0.9 }]);
    const { outputs } = await runStage("report", { params, inputs: { metrics: own.metrics } });
    own.remove();
    expect(readFileSync(outputs.report, "utf8")).toContain(
      "| FaceNet, all triplets, 1,024 units, 900 steps |",
    );
  });

  it("counts no untrained code among the trained representations", async () => {
    const code = { binariser: { use: "itq" }, bits: 16, seed: 1 };
    const plan = [...plannedRuns([1]), { point: { binariser: "itq" }, map: 0.7, knn: 0.9, code }];
    const own = makeStudy(90, plan);
    const { outputs } = await runStage("report", {
      params,
      inputs: { metrics: own.metrics, queries: own.queries },
    });
    own.remove();
    const page = markup(readFileSync(outputs.page, "utf8"));
    expect(page).toMatch(/\d of 8 trained representations are significantly above the pretrained features/);
    expect(readFileSync(outputs.report, "utf8")).toMatch(/\* ITQ is above pretrained features in mAP/);
  });

  it("gives each protocol a table of trainings, with the numbers near the best of its own", async () => {
    const runs = plannedRuns([1]).filter(({ point }) => point.loss === "facenet");
    const hard = runs.map((one) => ({
      ...one,
      map: one.map / 2,
      protocol: "P1",
      point: { ...one.point, protocol: "P1" },
    }));
    const own = makeStudy(90, [...runs, ...hard]);
    const { outputs } = await runStage("report", {
      params,
      inputs: { metrics: own.metrics, histories: own.histories, timings: own.timings },
    });
    own.remove();
    const report = readFileSync(outputs.report, "utf8");
    const [, easy, harder] = report.split(/^Trainings under protocol /m);
    const levelOf = (table: string) => Number(/a validation mAP of ([\d.]+)/.exec(table)![1]);
    expect(levelOf(harder)).toBeLessThan(levelOf(easy) - 0.3);
    const reached = (table: string) =>
      table
        .split("\n")
        .find((line) => line.includes("semi-hard"))!
        .split("|")[3]
        .trim();
    expect(reached(easy)).not.toBe("never");
    expect(reached(harder)).not.toBe("never"); // far below the best of the other protocol
    const timings = JSON.parse(readFileSync(outputs.timings, "utf8"));
    expect(timings["facenet · semihard-negative · P1"][0].seconds_to_near_best).not.toBeNull();
  });

  it("states the quality of a selector's seconds", async () => {
    const measured = plannedRuns([1, 2]).map((one) => ({ ...one, others: 0.02 }));
    const own = makeStudy(90, measured);
    const { outputs } = await runStage("report", {
      params,
      inputs: { metrics: own.metrics, histories: own.histories, timings: own.timings },
    });
    own.remove();
    const told = readFileSync(outputs.timings_report, "utf8");
    expect(told).toMatch(
      /\* Steps took from 9\.5 s with FaceNet, hardest negatives .* to 11\.0 s with FaceNet, all triplets .*, 1\.16 times as long\. Each was measured alone: other work kept 0\.02 of 2 cores busy at most\./,
    );
    expect(told.match(/^\* Steps took/gm)).toHaveLength(2); // a sentence for each loss
    expect(await read("timings_report")).toContain("was not measured: the seconds give no ranking.");
  });

  it("keeps the clock apart: other seconds change no other file", async () => {
    const slow = makeStudy(
      120,
      plannedRuns([1]).map((planned) => ({ ...planned, selectSeconds: 77 })),
    );
    const again = await runStage("report", {
      params,
      inputs: { ...inputs, timings: slow.timings },
    });
    slow.remove();
    const { outputs } = await run;
    const measured = ["timings", "timings_report", "timings_page"];
    const secondsOf = (at: string) => readFileSync(join(at, "seconds.js"), "utf8");
    expect(secondsOf(again.outputs.timing_figures)).not.toBe(secondsOf(outputs.timing_figures));
    expect(secondsOf(outputs.timing_figures)).toMatch(
      /^globalThis\.deephashSeconds = \{"mining":"In seconds: 9\.5 s with FaceNet, hardest negatives .* Not measured alone/,
    );
    for (const output of ["metrics", "comparisons", "trainings", "report", "page", "provenance"])
      expect(readFileSync(again.outputs[output], "utf8"), output).toBe(readFileSync(outputs[output], "utf8"));
    for (const output of measured)
      expect(readFileSync(again.outputs[output], "utf8"), output).not.toBe(
        readFileSync(outputs[output], "utf8"),
      );
    expect(readdirSync(outputs.figures)).toEqual(["map-official.png", "map-official.svg"]);
    expect(JSON.parse(await read("timings"))["facenet · all"][0]).toMatchObject({
      select_seconds: 2,
      gradient_seconds: 9,
      step_seconds: 11,
    });
  });

  it("shows embeddings of two dimensions before the numbers about them", async () => {
    const drawn = join(study.folder, "planes");
    mkdirSync(drawn);
    const list = ["plane-train", "plane-query"].map((name) => ({
      name,
      title: name,
      caption: "",
      alt: name,
    }));
    writeFileSync(join(drawn, "figures.json"), JSON.stringify(list));
    for (const { name } of list) writeFileSync(join(drawn, `${name}.svg`), "<svg/>");
    const { outputs } = await runStage("report", { params, inputs: { metrics, figures: drawn } });
    const report = readFileSync(outputs.report, "utf8");
    const places = ["## Embeddings in the plane", "plane-query.png", "plane-train.png", "## Representations"];
    const found = places.map((text) => report.indexOf(text));
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found).not.toContain(-1);
    expect(report).not.toContain("### Maps");
    expect(await read("report")).not.toContain(places[0]);
  });

  it("never puts two protocols into one table", async () => {
    const other = makeStudy(90, plannedRuns([1]));
    const moved = other.metrics.map((file) => {
      const content = JSON.parse(readFileSync(file.path, "utf8"));
      writeFileSync(file.path, JSON.stringify({ ...content, protocol: "P1" }));
      return { ...file, id: `${file.id}-P1`, point: { ...file.point, protocol: "P1" } };
    });
    const { outputs } = await runStage("report", {
      params,
      inputs: { metrics: [...metrics, ...moved], queries },
    });
    other.remove();
    const found = JSON.parse(readFileSync(outputs.metrics, "utf8"));
    expect(Object.keys(found.protocols)).toEqual(["P1", "official"]);
    for (const { groups } of Object.values(found.protocols) as { groups: object }[])
      expect(Object.keys(groups)).toHaveLength(9);
    expect(found.protocols.P1.queries).toBe(90);
    const report = readFileSync(outputs.report, "utf8");
    expect(report).toContain("Protocol P1: 90 queries");
    expect(report).toContain("Protocol official: 120 queries");
  });

  it("refuses to pair runs with other queries", async () => {
    const other = makeStudy(90, plannedRuns([1]).slice(0, 1));
    const mixed = [...other.queries, ...queries.slice(1)];
    await expect(runStage("report", { params, inputs: { ...inputs, queries: mixed } })).rejects.toThrow(
      /have different queries\. Evaluate both with the same split/,
    );
    other.remove();
  });
});
