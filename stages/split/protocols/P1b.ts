/** P1b: as P1, with the training images taken out of the database (the HashNet family, Cao et al. 2017). */
import { defineProtocol } from "../protocol.ts";
import { drawSetting1, setting1Params } from "../setting1.ts";

export default defineProtocol({
  params: setting1Params,
  several: true,
  draw: (images, validation, random, params) => drawSetting1(images, validation, random, params, false),
});
