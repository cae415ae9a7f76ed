/** Fashion-MNIST: 70,000 grey images of clothes, 28 x 28 pixels, in 10 classes. Xiao, Rasul and Vollgraf 2017. */
import { pinnedFiles } from "../../shared/download/fetch.ts";
import { defineDataset } from "../dataset.ts";
import { type IdxFiles, openIdx } from "../idx.ts";

const MIRRORS = [
  "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
  "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
];

/**
 * @param debian sha256 of the file of Debian's package dataset-fashion-mnist, which clears the time in the gzip
 *   header: its folder /usr/share/datasets can serve as a mirror
 */
const file = (name: string, sha256: string, debian: string) => ({
  file: `fashion-mnist/${name}`,
  sha256: [sha256, debian],
  urls: MIRRORS.map((mirror) => mirror + name),
});

const FILES: IdxFiles<ReturnType<typeof file>> = {
  train_images: file(
    "train-images-idx3-ubyte.gz",
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
  ),
  train_labels: file(
    "train-labels-idx1-ubyte.gz",
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
  ),
  test_images: file(
    "t10k-images-idx3-ubyte.gz",
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
  ),
  test_labels: file(
    "t10k-labels-idx1-ubyte.gz",
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
  ),
};

const CLASSES = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

export default defineDataset({
  params: pinnedFiles({ ...FILES }),
  open: (params, context) => openIdx("fashion-mnist", CLASSES, params, context),
});
