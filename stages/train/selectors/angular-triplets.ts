/**
 * The triplets whose negative sees the positive pair under a wide angle.
 *
 * The angle at the negative is that of a triangle whose base is the positive pair, moved so that the negative is above
 * the pair's centre. It lists all its triplets: take it for batches of a few hundred images.
 *
 * @equation
 * {(a, p, n): atan(|a-p| / (2 |n-c|)) > angle},  c = (a+p)/2
 * @when A triplet loss trains, and classes differ in spread: an angle does not depend on the scale of distances.
 * @source Wang, Zhou, Wen, Liu & Lin 2017, "Deep metric learning with angular loss", figure 2;
 * pytorch-metric-learning's AngularMiner
 */
import { UserError } from "../../../runner/stage.ts";
import { tripletSelector, tripletsThat } from "../selector.ts";

export default tripletSelector({
  params: {
    angle: {
      type: "number",
      minimum: 0,
      exclusiveMaximum: 90,
      default: 20,
      description: "in degrees; triplets with a wider one are chosen",
    },
    both_ends: {
      type: "boolean",
      default: false,
      description: "whether both images of a pair are anchors, or only the first",
    },
  },
  select(batch, _margin, _random, { angle, both_ends }) {
    const { memory, size, squared } = batch;
    if (memory)
      throw new UserError(
        "train: the selector angular-triplets needs the distances of positives and negatives, which a memory has not. Leave out memory, or take another selector of triplets.",
      );
    const tangent = 4 * Math.tan((angle * Math.PI) / 180) ** 2;
    return tripletsThat(batch, both_ends, (a, p, negatives, chosen, at) => {
      const [fromA, fromP] = [a * size, p * size];
      const pair = squared[fromA + p];
      let end = at;
      for (let k = 0; k < negatives.length; k++) {
        const n = negatives[k];
        // The length of a median out of the three sides.
        const centre = (squared[fromA + n] + squared[fromP + n]) / 2 - pair / 4;
        chosen[end] = n;
        if (pair > tangent * centre) end++;
      }
      return end;
    });
  },
});
