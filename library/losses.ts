/**
 * Losses of deep metric learning and hashing, and what one of your own is made of. A loss is an object with `params`
 * (JSON Schemas with defaults) and `start`, which gives a run: `run.loss(embeddings, labels, params)` is a scalar
 * tensor that tfjs can differentiate. Call {@link startBackend} first.
 *
 * @example
 * await startBackend("wasm");
 * const params = defaultsOf(facenet);
 * const run = facenet.start({ dim: 64, classes: 10, params, random: random(1, "loss"), selector });
 * const { value, grads } = tf.variableGrads(() => run.loss(embeddings, labels, params));
 * @module
 */
export { type BackendName, startBackend } from "../stages/shared/compute/backend.ts";
export { type Random, random } from "../stages/shared/compute/random.ts";
export { type BatchLossSpec, batchLoss } from "../stages/train/kinds/batches.ts";
export { type PairLossSpec, pairLoss } from "../stages/train/kinds/pairs.ts";
export { type TripletLossSpec, type TripletTerms, tripletLoss } from "../stages/train/kinds/triplets.ts";
export {
  type Counters,
  defineLoss,
  type Loss,
  type LossRun,
  type LossSetup,
  noCounts,
} from "../stages/train/loss.ts";
export { default as adsh } from "../stages/train/losses/adsh.ts";
export { default as angular } from "../stages/train/losses/angular.ts";
export { default as arcface } from "../stages/train/losses/arcface.ts";
export { default as bihalf } from "../stages/train/losses/bihalf.ts";
export { default as bihalfUnsupervised } from "../stages/train/losses/bihalf-unsupervised.ts";
export { default as circle } from "../stages/train/losses/circle.ts";
export { default as contrastive } from "../stages/train/losses/contrastive.ts";
export { default as cosface } from "../stages/train/losses/cosface.ts";
export { default as csq } from "../stages/train/losses/csq.ts";
export { default as dbdh } from "../stages/train/losses/dbdh.ts";
export { default as dch } from "../stages/train/losses/dch.ts";
export { default as dfh } from "../stages/train/losses/dfh.ts";
export { default as dhn } from "../stages/train/losses/dhn.ts";
export { default as dpn } from "../stages/train/losses/dpn.ts";
export { default as dpsh } from "../stages/train/losses/dpsh.ts";
export { default as dsdh } from "../stages/train/losses/dsdh.ts";
export { default as dsh } from "../stages/train/losses/dsh.ts";
export { default as dshsd } from "../stages/train/losses/dshsd.ts";
export { default as dtsh } from "../stages/train/losses/dtsh.ts";
export { default as facenet } from "../stages/train/losses/facenet.ts";
export { default as fastAp } from "../stages/train/losses/fast-ap.ts";
export { default as generalisedLiftedStructure } from "../stages/train/losses/generalised-lifted-structure.ts";
export { default as greedyhash } from "../stages/train/losses/greedyhash.ts";
export { default as hashnet } from "../stages/train/losses/hashnet.ts";
export { default as histogram } from "../stages/train/losses/histogram.ts";
export { default as hofferAilon } from "../stages/train/losses/hoffer-ailon.ts";
export { default as identificationVerification } from "../stages/train/losses/identification-verification.ts";
export { default as idhn } from "../stages/train/losses/idhn.ts";
export { default as lcdsh } from "../stages/train/losses/lcdsh.ts";
export { default as liftedStructure } from "../stages/train/losses/lifted-structure.ts";
export { default as margin } from "../stages/train/losses/margin.ts";
export { default as multiSimilarity } from "../stages/train/losses/multi-similarity.ts";
export { default as nPair } from "../stages/train/losses/n-pair.ts";
export { default as nca } from "../stages/train/losses/nca.ts";
export { default as normalisedSoftmax } from "../stages/train/losses/normalised-softmax.ts";
export { default as ntXent } from "../stages/train/losses/nt-xent.ts";
export { default as orthohash } from "../stages/train/losses/orthohash.ts";
export { default as proxyAnchor } from "../stages/train/losses/proxy-anchor.ts";
export { default as proxyNca } from "../stages/train/losses/proxy-nca.ts";
export { default as proxyNcaPlus } from "../stages/train/losses/proxy-nca-plus.ts";
export { default as qsmih } from "../stages/train/losses/qsmih.ts";
export { default as rankedList } from "../stages/train/losses/ranked-list.ts";
export { default as snrContrastive } from "../stages/train/losses/snr-contrastive.ts";
export { default as softMargin } from "../stages/train/losses/soft-margin.ts";
export { default as softTriple } from "../stages/train/losses/soft-triple.ts";
export { default as softmax } from "../stages/train/losses/softmax.ts";
export { default as sphereface } from "../stages/train/losses/sphereface.ts";
export { default as subcenterArcface } from "../stages/train/losses/subcenter-arcface.ts";
export { default as supcon } from "../stages/train/losses/supcon.ts";
export { default as tripletEmbedding } from "../stages/train/losses/triplet-embedding.ts";
export { default as tupletMargin } from "../stages/train/losses/tuplet-margin.ts";
export { default as vicreg } from "../stages/train/losses/vicreg.ts";
export { type Schedule, scheduled, valueAt } from "../stages/train/schedules.ts";
export type { Batch, Given, PairSet, Pairs, Scored, Triplets } from "../stages/train/scoring/batch.ts";
export { distanceLoss, gramLoss, matrixLoss, type Scoring } from "../stages/train/scoring/ops.ts";
export { contrastiveTerm, hinge, type PairTerm, type Term } from "../stages/train/scoring/term.ts";
export { scorePairs, scoreTriplets } from "../stages/train/scoring/tuples.ts";
export { defaultsOf } from "./params.ts";
