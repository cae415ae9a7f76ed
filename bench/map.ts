/**
 * Exact mAP of 10,000 queries against 50,000 embeddings of 64 dims, whole rankings, against the limit of 4 s on
 * two cores; and the share of it that the product of queries and database takes.
 */
import { isMainThread } from "node:worker_threads";
import { BLOCK, Distances } from "../stages/evaluate/distances.ts";
import { rankAll, takeRows } from "../stages/evaluate/neighbours.ts";
import { random } from "../stages/shared/compute/random.ts";

const LIMIT_SECONDS = 4;
const LIMIT_MEGABYTES = 500;
const [QUERIES, ITEMS, DIM, CLASSES, THREADS] = [10_000, 50_000, 64, 10, 2];

/** Unit vectors in clusters, as a trained head gives. */
function embeddings(rows: number, name: string) {
  const [centre, noise] = [random(1, "centres"), random(1, name)];
  const centres = Float32Array.from({ length: CLASSES * DIM }, () => centre.normal());
  const values = new Float32Array(rows * DIM);
  const labels = Uint16Array.from({ length: rows }, (_, row) => row % CLASSES);
  for (let row = 0; row < rows; row++)
    for (let d = 0; d < DIM; d++)
      values[row * DIM + d] = centres[labels[row] * DIM + d] + 1.5 * noise.normal();
  return takeRows(
    { values, labels, dim: DIM },
    Uint32Array.from(labels, (_, row) => row),
    undefined,
    true,
  );
}

async function main(): Promise<void> {
  const [queries, database] = [embeddings(QUERIES, "queries"), embeddings(ITEMS, "database")];
  const [began, used] = [performance.now(), process.cpuUsage()];
  const found = await rankAll(queries, database, {
    dim: DIM,
    classes: CLASSES,
    ks: [10],
    at: [1, 10, 100],
    threads: THREADS,
    url: import.meta.url,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  const map = found.columns.map.reduce((sum, ap) => sum + ap, 0) / QUERIES;
  const megabytes = process.resourceUsage().maxRSS / 1024;

  const order = Uint32Array.from(database.labels.keys());
  const distances = new Distances({ ...database, dim: DIM, lengths: new Float64Array(ITEMS), order });
  const blocks = 20;
  const before = process.cpuUsage();
  for (let block = 0; block < blocks; block++) distances.take(queries.values, block * BLOCK, BLOCK);
  const product = process.cpuUsage(before);
  const ofAll = ((product.user + product.system) / blocks) * (QUERIES / BLOCK);
  const share = ofAll / (user + system);
  console.log(`mAP ${map.toFixed(4)} of ${QUERIES} queries x ${ITEMS} x ${DIM}-d, ${THREADS} threads`);
  console.log(
    `${seconds.toFixed(2)} s, ${(seconds / LIMIT_SECONDS).toFixed(2)} of the limit of ${LIMIT_SECONDS} s; ${((user + system) / 1e6).toFixed(2)} s of the processor`,
  );
  console.log(`${(100 * share).toFixed(0)} % of it in the product of queries and database`);
  console.log(`peak memory ${megabytes.toFixed(0)} MB (limit ${LIMIT_MEGABYTES} MB)`);
}

// Each thread loads this file again, for the work that it defines.
if (isMainThread) await main();
