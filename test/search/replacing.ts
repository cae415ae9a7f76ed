/** Replaces an index by one of N images, in a process of its own: `node bundle.mjs OUT N`. */
import { checkPlace, replace } from "../../search/index/place.ts";
import { fillIndex } from "./filled.ts";

const [out, photos, images] = process.argv.slice(2);
await checkPlace(out, [photos], false);
await replace(out, (scratch) => fillIndex(scratch, photos, Number(images)));
