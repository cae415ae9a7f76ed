/**
 * ProxyNCA: each image against the proxies of all other classes.
 *
 * The proxy of the own class is not in the denominator: the loss may be negative.
 *
 * @equation
 * unit sphere; mean over images of  |e - p_own|² + log Σ over other classes exp(-|e - p|²)
 * @when A published baseline of proxies is needed; proxy-nca-plus is better.
 * @source Movshovitz-Attias, Toshev, Leung, Ioffe & Singh 2017, "No fuss distance metric learning using proxies"
 */
import { weightLoss } from "../kinds/cosines.ts";
import { logSum } from "../scoring/logsum.ts";

export default weightLoss({
  score(cosines, labels, classes) {
    const gradient = new Float32Array(cosines.length);
    const others = new Float64Array(classes);
    const batch = labels.length;
    let loss = 0;
    let correct = 0;
    for (const [i, label] of labels.entries()) {
      const row = cosines.subarray(i * classes, (i + 1) * classes);
      // |e - p|² is 2 - 2 cos.
      for (let c = 0; c < classes; c++) others[c] = c === label ? Number.NEGATIVE_INFINITY : 2 * row[c] - 2;
      const sum = logSum(others, classes);
      if (!Number.isFinite(sum)) continue; // there is one class
      loss += (2 - 2 * row[label] + sum) / batch;
      for (let c = 0; c < classes; c++)
        gradient[i * classes + c] = (c === label ? -2 : 2 * others[c]) / batch;
      if (row.every((cosine) => cosine <= row[label])) correct++;
    }
    return { loss, gradient, correct };
  },
});
