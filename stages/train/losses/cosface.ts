/**
 * CosFace: cross-entropy of cosines, that of the own class less a margin.
 *
 * @equation
 * mean over images of  -log softmax(scale (cos(e, w) - margin at the own class))[class]
 * @when The classes are many and known, as persons or products are. Its margin is steadier than that of arcface.
 * @source Wang, Wang, Zhou, Ji, Gong, Zhou, Li & Liu 2018, "CosFace: Large margin cosine loss for deep face
 * recognition"
 */
import { marginCrossEntropy, weightLoss } from "../kinds/cosines.ts";
import { scheduled } from "../schedules.ts";

export default weightLoss({
  params: {
    margin: scheduled({ default: 0.35, minimum: 0, maximum: 2, description: "m, in cosines" }),
    scale: scheduled({ default: 64, exclusiveMinimum: 0, description: "s" }),
  },
  score: (cosines, labels, classes, { margin, scale }) =>
    marginCrossEntropy(cosines, labels, classes, scale, {
      score: 0,
      slope: 1,
      at(cosine) {
        this.score = cosine - margin;
      },
    }),
});
