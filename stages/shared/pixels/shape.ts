/** The shapes of images: as they are stored, and as a network takes them. */

/** How images are resized. */
export type Resampling = "bilinear" | "bicubic";

/** How an image enters the network: each channel as (byte / 255 - mean) / std. */
export interface Scaling {
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
  /** Default bilinear. */
  resampling?: Resampling;
}

/** Images as they are stored: `[height, width, channels]` bytes, 1 or 3 channels. */
export interface Shape {
  height: number;
  width: number;
  channels: number;
}

/** Images as a network takes them. */
export interface Target extends Shape {
  /** Each channel by itself, `[channels, height, width]`; else `[height, width, channels]`. */
  planes: boolean;
}
