/** Indexes of image files, made and changed by a program: the functions behind the command `index`. */
import { UserError } from "../runner/stage.ts";
import { suggest } from "../runner/text/index.ts";
import { type Built, build, type BuildOptions as Command } from "../search/index/build.ts";
import * as change from "../search/index/change.ts";
import type { Backbone } from "../stages/shared/backbone.ts";
import mobilenetv2 from "../stages/shared/backbones/mobilenetv2.ts";
import mobilenetv2Zoo from "../stages/shared/backbones/mobilenetv2-zoo.ts";
import resnet18 from "../stages/shared/backbones/resnet18.ts";
import resnet34 from "../stages/shared/backbones/resnet34.ts";
import resnet50 from "../stages/shared/backbones/resnet50.ts";
import resnet101 from "../stages/shared/backbones/resnet101.ts";
import vgg16 from "../stages/shared/backbones/vgg16.ts";
import vgg19 from "../stages/shared/backbones/vgg19.ts";

export type { Built } from "../search/index/build.ts";
export type { Changed } from "../search/index/change.ts";

/** How an index is made: `like` another, or with a `backbone` and no training. */
export interface BuildOptions extends Command {
  /** Folder of the new index. */
  out: string;
}

const BACKBONES: Record<string, Backbone> = {
  mobilenetv2,
  "mobilenetv2-zoo": mobilenetv2Zoo,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  vgg16,
  vgg19,
};

/** @throws UserError when the package has no such backbone */
function backboneOf(name: string): Backbone {
  if (Object.hasOwn(BACKBONES, name)) return BACKBONES[name];
  const names = Object.keys(BACKBONES);
  throw new UserError(
    `buildIndex: no backbone "${name}".${suggest(name, names) || ` There are ${names.join(", ")}.`}`,
  );
}

/**
 * Makes an index of the images of folders, or of single images. The network's file is looked for in `mirror`, then in
 * cache/downloads of the current folder, then downloaded there. Images that are left out are told on the standard error.
 * @throws UserError when an option is invalid, no image can be read, or `out` holds anything but an index of the same folders
 */
export const buildIndex = (paths: string[], options: BuildOptions): Promise<Built> =>
  build(paths, options, process.cwd(), process.cwd(), backboneOf);

/**
 * Brings an index to what its folders have: only new and changed images are encoded.
 * @param moves `OLD=NEW` for each folder of images that has moved
 * @throws UserError when a folder is missing or has no image left
 */
export const updateIndex = (folder: string, moves: string[] = []): Promise<change.Changed> =>
  change.updateIndex(folder, moves, process.cwd());

/** Adds folders and single images. @param exclude patterns of .gitignore @throws UserError when nothing is there */
export const addToIndex = (
  folder: string,
  paths: string[],
  exclude: string[] = [],
): Promise<change.Changed> => change.addToIndex(folder, paths, exclude, process.cwd());

/** Takes folders and single images out; their files stay. @throws UserError when the index has no image there */
export const removeFromIndex = (folder: string, paths: string[]): Promise<change.Changed> =>
  change.removeFromIndex(folder, paths, process.cwd());
