/** MNIST: 70,000 grey images of handwritten digits, 28 x 28 pixels. LeCun et al. 1998. */
import { pinnedFiles } from "../../shared/download/fetch.ts";
import { defineDataset } from "../dataset.ts";
import { type IdxFiles, openIdx } from "../idx.ts";

const MIRRORS = [
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
  "https://storage.googleapis.com/cvdf-datasets/mnist/",
];

const file = (name: string, sha256: string) => ({
  file: `mnist/${name}`,
  sha256,
  urls: MIRRORS.map((mirror) => mirror + name),
});

const FILES: IdxFiles<ReturnType<typeof file>> = {
  train_images: file(
    "train-images-idx3-ubyte.gz",
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
  ),
  train_labels: file(
    "train-labels-idx1-ubyte.gz",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
  ),
  test_images: file(
    "t10k-images-idx3-ubyte.gz",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
  ),
  test_labels: file(
    "t10k-labels-idx1-ubyte.gz",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
  ),
};

const CLASSES = Array.from({ length: 10 }, (_, digit) => String(digit));

export default defineDataset({
  params: pinnedFiles({ ...FILES }),
  open: (params, context) => openIdx("mnist", CLASSES, params, context),
});
