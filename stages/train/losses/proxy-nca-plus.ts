/**
 * ProxyNCA++: the probability that an image picks the proxy of its class.
 *
 * @equation
 * unit sphere; mean over images of  -log softmax(-scale |e - p|²)[class]
 * @when The classes are many and a batch holds few images of each. The scale must be chosen: the paper's temperature of
 * 1/9 is the default.
 * @source Teh, DeVries & Taylor 2020, "ProxyNCA++: Revisiting and revitalizing proxy neighborhood component analysis"
 * (scale is 1 / T)
 */
import { marginCrossEntropy, weightLoss } from "../kinds/cosines.ts";
import { scheduled } from "../schedules.ts";

export default weightLoss({
  params: {
    scale: scheduled({ default: 9, exclusiveMinimum: 0, description: "of the squared distances" }),
  },
  // On the unit sphere |e - p|² is 2 - 2 cos: the 2 is common to all classes.
  score: (cosines, labels, classes, { scale }) =>
    marginCrossEntropy(cosines, labels, classes, 2 * scale, {
      score: 0,
      slope: 1,
      at(cosine) {
        this.score = cosine;
      },
    }),
});
