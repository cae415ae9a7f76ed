/** P1: setting 1 of DPSH and DTSH. 1,000 queries, 5,000 training images, all but the queries searched. */
import { defineProtocol } from "../protocol.ts";
import { drawSetting1, setting1Params } from "../setting1.ts";

export default defineProtocol({
  params: setting1Params,
  several: true,
  draw: (images, validation, random, params) => drawSetting1(images, validation, random, params, true),
});
