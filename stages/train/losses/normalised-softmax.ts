/**
 * Cross-entropy of cosines: a classifier whose weights and inputs have length 1.
 *
 * @equation
 * mean over images of  -log softmax(cos(e, w) / temperature)[class]
 * @when The classes are many, and neither margin nor selector should be chosen: a strong baseline of metric learning.
 * @source Zhai & Wu 2019, "Classification is a strong baseline for deep metric learning"
 */
import { marginCrossEntropy, weightLoss } from "../kinds/cosines.ts";
import { scheduled } from "../schedules.ts";

export default weightLoss({
  params: {
    temperature: scheduled({ default: 0.05, exclusiveMinimum: 0, description: "sigma" }),
  },
  score: (cosines, labels, classes, { temperature }) =>
    marginCrossEntropy(cosines, labels, classes, 1 / temperature, {
      score: 0,
      slope: 1,
      at(cosine) {
        this.score = cosine;
      },
    }),
});
