// Your own images: an index, its changes, and the images nearest to one of them. `node examples/index.mjs FOLDER IMAGE`
// takes resnet18 (a download of 47 MB); with a third argument, the model of that index.
import {
  buildIndex,
  contentOf,
  Encoder,
  fileOf,
  Nearest,
  openIndex,
  readImage,
  updateIndex,
} from "deephash/search";

const [folder, image, like] = process.argv.slice(2);
const out = `indexes/${like ? "like" : "resnet18"}`;
console.log(await buildIndex([folder], { out, ...(like ? { like } : { backbone: "resnet18" }) }));
console.log(await updateIndex(out)); // as a program does from time to time

const index = await openIndex(out);
const encoder = await Encoder.open(index.files, index.recipe, 2);
const pixels = await readImage(image, index.recipe.image);
const outputs = await encoder.outputs(pixels, 1);
for (const { row, distance } of new Nearest(index).find(outputs, contentOf(pixels), { top: 5 }))
  console.log(`${distance} of ${index.codes.bits} bits  ${fileOf(index, row)}`);
await encoder.close();
