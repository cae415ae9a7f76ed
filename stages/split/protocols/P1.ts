/** P1: setting 1 of DPSH and DTSH. 1,000 queries, 5,000 training images, all but the queries searched. */
import type { Protocol } from "../protocol.ts";
import { drawSetting1, setting1Params } from "../setting1.ts";

export default {
  params: setting1Params,
  draw: (images, validation, random, params) => drawSetting1(images, validation, random, params, true),
} satisfies Protocol;
