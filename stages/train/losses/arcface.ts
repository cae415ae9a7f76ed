/**
 * ArcFace: cross-entropy of cosines, with a margin added to the own angle.
 *
 * Where the angle and the margin pass 180 degrees together, the margin is taken off the cosine instead, as in the
 * authors' code.
 *
 * @equation
 * mean over images of  -log softmax(scale cos(angle(e, w) + margin at the own class))[class]
 * @when The classes are many and known, as persons or products are.
 * @source Deng, Guo, Xue & Zafeiriou 2019, "ArcFace: Additive angular margin loss for deep face recognition"
 */
import { angularMargin, marginCrossEntropy, weightLoss } from "../kinds/cosines.ts";
import { scheduled } from "../schedules.ts";

export default weightLoss({
  params: {
    margin: scheduled({ default: 28.6, minimum: 0, maximum: 180, description: "m, in degrees" }),
    scale: scheduled({ default: 64, exclusiveMinimum: 0, description: "s" }),
  },
  score: (cosines, labels, classes, { margin, scale }) =>
    marginCrossEntropy(cosines, labels, classes, scale, angularMargin(margin)),
});
