// Retrieval from a script: vectors to packed codes, the nearest codes of a query, and how good they are. Run it after
// `npm run build`:
//   node examples/retrieval.mjs
import { Counts, MultiIndex, metricsOfCounts, packSigns, Scan } from "deephash/hamming";
import { random } from "deephash/losses";

const BITS = 64;
const CLASSES = 10;
const ROWS = 20_000;
const BYTES = BITS / 8;

// Vectors that a network might give: each class around a centre of its own.
const draw = random(1, "vectors");
const centres = Float32Array.from({ length: CLASSES * BITS }, () => draw.normal());
const near = (label) =>
  Float32Array.from({ length: BITS }, (_, bit) => centres[label * BITS + bit] + 1.2 * draw.normal());
const labels = Uint16Array.from({ length: ROWS }, (_, row) => row % CLASSES);
const vectors = new Float32Array(ROWS * BITS);
for (const [row, label] of labels.entries()) vectors.set(near(label), row * BITS);

const codes = packSigns(vectors, BITS); // one bit a value, 8 bytes an item
const query = packSigns(near(3), BITS);

const { rows, distances } = new Scan(codes, BITS).nearest(query, 5);
for (const [rank, row] of rows.entries())
  console.log(`${rank + 1}. item ${row}, class ${labels[row]}, ${distances[rank]} bits differ`);

// Tables find the same: worth their memory where codes are many and queries near.
const again = new MultiIndex(codes, BITS).nearest(query, 5);
console.log(`Tables find the same: ${again.rows.every((row, rank) => row === rows[rank])}.`);

// How good is the whole ranking? Items at one distance have no order: the expectation over all orders.
const counts = new Counts(codes, BITS, labels, CLASSES);
counts.count(query);
const { map, precisionAt } = metricsOfCounts(counts.all, counts.relevant(3), [10]);
console.log(`Average precision ${map.toFixed(3)}, precision@10 ${precisionAt[0].toFixed(2)}.`);
console.log(`${ROWS} codes take ${(ROWS * BYTES) / 1000} kB.`);
