/**
 * Binary codes on two cores: the exact tie-aware mAP of 10,000 queries x 50,000 codes of 64 bits against the limit of
 * 1 s; the 100 nearest of the same, against faiss where Python has it; and multi-index hashing of 1,000,000 codes
 * against the scan, on clustered and on random ones.
 *
 * `node bench/run.mjs hamming [CODES_OF_THE_INDEX]`
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { rankCodes } from "../stages/evaluate-codes/retrieval.ts";
import { bytesOf } from "../stages/shared/artifacts/codes.ts";
import { random } from "../stages/shared/compute/random.ts";
import { defineWork, inThreads, shared } from "../stages/shared/compute/threads.ts";
import { engineHere } from "../stages/shared/retrieval/hamming/engine.ts";
import { MultiIndex } from "../stages/shared/retrieval/hamming/multi-index.ts";
import { Scan } from "../stages/shared/retrieval/hamming/scan.ts";

const LIMIT_SECONDS = 1;
const [QUERIES, ITEMS, BITS, CLASSES, THREADS, NEAREST] = [10_000, 50_000, 64, 10, 2, 100];
const BYTES = bytesOf(BITS);
const ROUNDS = 3;

/** Codes around random centres, a share of whose bits is flipped in each; a half makes them random. */
function codesAround(rows: number, centres: number, flipped: number, name: string) {
  const [centre, noise] = [random(1, "centres"), random(1, name)];
  const middles = Uint8Array.from({ length: centres * BYTES }, () => centre.int(256));
  const values = shared(Uint8Array, rows * BYTES);
  const labels = shared(Uint16Array, rows);
  for (let row = 0; row < rows; row++) {
    const own = noise.int(centres);
    labels[row] = own % CLASSES;
    for (let byte = 0; byte < BYTES; byte++) {
      let flips = 0;
      for (let bit = 0; bit < 8; bit++) if (noise.float() < flipped) flips |= 1 << bit;
      values[row * BYTES + byte] = middles[own * BYTES + byte] ^ flips;
    }
  }
  return { values, labels };
}

type Coded = ReturnType<typeof codesAround>;
const codeOf = ({ values }: Coded, row: number) => values.subarray(row * BYTES, (row + 1) * BYTES);

interface SearchJob {
  queries: Coded;
  database: Coded;
  /** `[queries, NEAREST]` */
  rows: Uint32Array;
  distances: Uint16Array;
}
const BLOCK = 64;
defineWork<SearchJob>("search", async ({ queries, database, rows, distances }) => {
  const scan = new Scan(database.values, BITS);
  return (block) => {
    for (let query = block * BLOCK; query < Math.min((block + 1) * BLOCK, QUERIES); query++) {
      const found = scan.nearest(codeOf(queries, query), NEAREST);
      rows.set(found.rows, query * NEAREST);
      distances.set(found.distances, query * NEAREST);
    }
  };
});

/** The time that work took: elapsed, and of the processors, independent of other processes. */
interface Took {
  seconds: number;
  busy: number;
}
async function timed(work: () => Promise<unknown> | unknown): Promise<Took> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - began) / 1000, busy: (user + system) / 1e6 };
}
/** The least of some rounds: what disturbs only slows down. */
async function best(work: () => Promise<unknown> | unknown): Promise<Took> {
  const least = { seconds: Number.POSITIVE_INFINITY, busy: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    const { seconds, busy } = await timed(work);
    least.seconds = Math.min(least.seconds, seconds);
    least.busy = Math.min(least.busy, busy);
  }
  return least;
}
const says = ({ seconds, busy }: Took) =>
  `${seconds.toFixed(3)} s (${busy.toFixed(3)} s of the processors' time)`;

async function ranking(queries: Coded, database: Coded): Promise<void> {
  let map = 0;
  const took = await best(async () => {
    const found = await rankCodes(queries, database, {
      bits: BITS,
      classes: CLASSES,
      ks: [10],
      at: [1, 10, 100],
      threads: THREADS,
      url: import.meta.url,
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    map = found.columns.map.reduce((sum, ap) => sum + ap, 0) / QUERIES;
  });
  console.log(`tie-aware mAP ${map.toFixed(4)} of ${QUERIES} queries x ${ITEMS} codes of ${BITS} bits`);
  console.log(
    `  ${says(took)}, ${(took.seconds / LIMIT_SECONDS).toFixed(2)} of the limit of ${LIMIT_SECONDS} s`,
  );
}

const FAISS = `
import sys, time
import faiss, numpy as np
folder = sys.argv[1]
read = lambda name: np.fromfile(folder + "/" + name, dtype=np.uint8).reshape(-1, ${BYTES})
queries, database = read("queries"), read("database")
faiss.omp_set_num_threads(${THREADS})
index = faiss.IndexBinaryFlat(${BITS})
index.add(database)
least, busy = 1e9, 1e9
for _ in range(${ROUNDS}):
    start, cpu = time.time(), time.process_time()
    distances, rows = index.search(queries, ${NEAREST})
    least, busy = min(least, time.time() - start), min(busy, time.process_time() - cpu)
distances.astype(np.uint16).tofile(folder + "/distances")
print(faiss.__version__, least, busy)
`;

async function search(queries: Coded, database: Coded): Promise<void> {
  const job: SearchJob = {
    queries,
    database,
    rows: shared(Uint32Array, QUERIES * NEAREST),
    distances: shared(Uint16Array, QUERIES * NEAREST),
  };
  const took = await best(() =>
    inThreads(
      "search",
      job,
      Math.ceil(QUERIES / BLOCK),
      THREADS,
      import.meta.url,
      () => {},
      new AbortController().signal,
    ),
  );
  console.log(`the ${NEAREST} nearest of the same, exact scan, ${THREADS} threads`);
  console.log(`  ${says(took)}, ${Math.round(QUERIES / took.seconds)} queries/s`);
  const folder = mkdtempSync(join(tmpdir(), "deephash-hamming-"));
  writeFileSync(join(folder, "queries"), queries.values);
  writeFileSync(join(folder, "database"), database.values);
  const peer = ["python3", "/usr/bin/python3"]
    .map((python) => spawnSync(python, ["-c", FAISS, folder], { encoding: "utf8" }))
    .find(({ status }) => status === 0);
  if (peer) {
    const [version, seconds, busy] = peer.stdout.trim().split(" ");
    const theirs = { seconds: Number(seconds), busy: Number(busy) };
    const bytes = readFileSync(join(folder, "distances"));
    const same = Buffer.compare(bytes, Buffer.from(job.distances.buffer)) === 0;
    console.log(`  faiss ${version} IndexBinaryFlat here: ${says(theirs)}`);
    console.log(
      `  ${(took.seconds / theirs.seconds).toFixed(2)} of its time (${(took.busy / theirs.busy).toFixed(2)} of the processors' time), ` +
        `${same ? "the same" : "OTHER"} distances`,
    );
  } else console.log("  faiss: skipped, no Python here imports it (Debian: python3-faiss)");
  rmSync(folder, { recursive: true });
}

async function index(items: number, name: string, centres: number, flipped: number): Promise<void> {
  const asked = 500;
  const database = codesAround(items, centres, flipped, `${name} database`);
  const queries = codesAround(asked, centres, flipped, `${name} queries`);
  const scan = new Scan(database.values, BITS);
  let tables!: MultiIndex;
  const built = await timed(() => {
    tables = new MultiIndex(database.values, BITS);
  });
  console.log(`${items} ${name} codes of ${BITS} bits, one thread`);
  console.log(`  ${tables.tables.length} tables built in ${says(built)}`);
  for (const k of [1, 10, 100]) {
    let same = true;
    for (let query = 0; query < asked; query++) {
      const [a, b] = [scan.nearest(codeOf(queries, query), k), tables.nearest(codeOf(queries, query), k)];
      for (let i = 0; i < k; i++) same &&= a.rows[i] === b.rows[i] && a.distances[i] === b.distances[i];
    }
    const answered = tables.answered;
    const all = (searcher: Scan | MultiIndex) => () => {
      for (let query = 0; query < asked; query++) searcher.nearest(codeOf(queries, query), k);
    };
    const [scanned, looked] = [await best(all(scan)), await best(all(tables))];
    console.log(
      `  k = ${k}: scan ${Math.round(asked / scanned.seconds)} queries/s, tables ${Math.round(asked / looked.seconds)} queries/s: ` +
        `${(scanned.seconds / looked.seconds).toFixed(2)} times as fast (${(scanned.busy / looked.busy).toFixed(2)} by the processors' time), ` +
        `${same ? "the same" : "OTHER"} answers; the scan took over ${(100 * (1 - answered / asked)).toFixed(0)} % of the queries`,
    );
    tables.answered = 0;
  }
}

async function main(): Promise<void> {
  console.log(`kernel: ${engineHere()}`);
  const queries = codesAround(QUERIES, CLASSES, 0.2, "queries");
  const database = codesAround(ITEMS, CLASSES, 0.2, "database");
  await ranking(queries, database);
  await search(queries, database);
  const items = Number(process.argv[2] ?? 1_000_000);
  await index(items, "clustered", items / 100, 0.08);
  await index(items, "random", 1, 0.5);
}

// Each thread loads this file again, for the work that it defines.
if (isMainThread) await main();
