/**
 * Spectral hashing: signs of waves along the principal components. For vectors spread evenly over a box the
 * eigenfunctions of the graph Laplacian are cos(k π (x - a) / (b - a)) along each side [a, b]; those of the least
 * frequencies are the bits, so that a component of large variance has several (Weiss, Torralba & Fergus 2008, section 2.2).
 */
import { project } from "../../shared/artifacts/projection.ts";
import { principalDirections } from "../../shared/compute/principal.ts";
import { defineBinariser } from "../binariser.ts";
import { centred } from "../rotation.ts";

export default defineBinariser({
  fit(sample, bits, random) {
    const { mean, directions } = principalDirections(sample, Math.min(bits, sample.dim), random);
    const map = centred(directions, mean);
    const components = project(map, sample.values);
    const waves = slowestWaves(components, map.bits, bits);
    const weights = new Float32Array(bits * sample.dim);
    const offset = new Float32Array(bits);
    for (const [bit, { component, from, frequency }] of waves.entries()) {
      const row = component * sample.dim;
      for (let d = 0; d < sample.dim; d++) weights[bit * sample.dim + d] = frequency * map.weights[row + d];
      offset[bit] = frequency * (map.offset[component] - from);
    }
    return { weights, offset, bits, dim: sample.dim, wave: true };
  },
});

/** cos(frequency · (x - from)) of one component. */
interface Wave {
  component: number;
  from: number;
  frequency: number;
}

/** The waves of the least frequencies above 0; of equal ones that of the first component. @param components `[rows, count]` */
function slowestWaves(components: Float32Array, count: number, bits: number): Wave[] {
  const waves = Array.from({ length: count }, (_, component) => {
    let from = Number.POSITIVE_INFINITY;
    let to = Number.NEGATIVE_INFINITY;
    for (let at = component; at < components.length; at += count) {
      from = Math.min(from, components[at]);
      to = Math.max(to, components[at]);
    }
    // A component without any spread has no wave.
    return Array.from({ length: bits }, (_, k) => ({
      component,
      from,
      frequency: to > from ? ((k + 1) * Math.PI) / (to - from) : Number.POSITIVE_INFINITY,
    }));
  }).flat();
  return waves.sort((a, b) => a.frequency - b.frequency || a.component - b.component).slice(0, bits);
}
