/**
 * Sub-centre ArcFace: several weights for each class, of which the nearest counts.
 *
 * @equation
 * arcface on the largest cosine of each class's weights
 * @when Labels are noisy, or a class consists of several kinds of images: a wrong image takes a sub-centre of its own.
 * @source Deng, Guo, Liu, Gong & Zafeiriou 2020, "Sub-center ArcFace: Boosting face recognition by large-scale noisy
 * web faces"
 */
import { angularMargin, marginCrossEntropy, scoreLargest, weightLoss } from "../kinds/cosines.ts";
import { scheduled } from "../schedules.ts";

export default weightLoss({
  params: {
    centres: { type: "integer", minimum: 1, default: 3, description: "K, weights of each class" },
    margin: scheduled({ default: 28.6, minimum: 0, maximum: 180, description: "m, in degrees" }),
    scale: scheduled({ default: 64, exclusiveMinimum: 0, description: "s" }),
  },
  perClass: ({ centres }) => centres as number,
  score: (cosines, labels, classes, { margin, scale }) =>
    scoreLargest(cosines, classes, labels.length, (largest) =>
      marginCrossEntropy(largest, labels, classes, scale, angularMargin(margin)),
    ),
});
