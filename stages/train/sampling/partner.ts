/** Random partners of an image. */
import type { Random } from "../../shared/compute/random.ts";

/** A random one of `items` (ascending) that is not `item`, which is among them. */
export function otherOf(items: number[], item: number, random: Random): number {
  const place = random.int(items.length - 1);
  return items[place] < item ? items[place] : items[place + 1];
}

/** A random image of a random class other than `label`: each other class has the same chance. */
export function outsider(members: Map<number, number[]>, label: number, random: Random): number {
  const images = members.get(otherOf([...members.keys()], label, random))!;
  return images[random.int(images.length)];
}
