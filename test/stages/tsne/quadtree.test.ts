import { describe, expect, it } from "vitest";
import { random } from "../../../stages/shared/random.ts";
import { Quadtree } from "../../../stages/tsne/quadtree.ts";

/** The double loop. */
function exact(map: Float64Array) {
  const forces = new Float64Array(map.length);
  let total = 0;
  for (let i = 0; i < map.length; i += 2)
    for (let j = 0; j < map.length; j += 2) {
      if (i === j) continue;
      const [dx, dy] = [map[i] - map[j], map[i + 1] - map[j + 1]];
      const q = 1 / (1 + dx * dx + dy * dy);
      total += q;
      forces[i] += q * q * dx;
      forces[i + 1] += q * q * dy;
    }
  return { forces, total };
}

const scattered = (points: number, width: number) => {
  const draws = random(4, "scattered");
  return Float64Array.from({ length: 2 * points }, () => width * draws.normal());
};

const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe("Quadtree", () => {
  it.each([1e-4, 1, 30])("with theta 0 is the double loop, on a map of width %s", (width) => {
    const map = scattered(300, width);
    const { forces, total } = exact(map);
    const tree = new Quadtree(300);
    const found = new Float64Array(600);
    tree.build(map);
    expect(tree.repulsion(0, found)).toBeCloseTo(total, 6);
    const scale = largest(forces);
    for (let i = 0; i < 600; i++) expect(Math.abs(found[i] - forces[i])).toBeLessThan(1e-10 * scale);
  });

  it("with theta 0.5 is near it, and not equal: far cells stand for their points", () => {
    const map = scattered(1000, 20);
    const { forces, total } = exact(map);
    const tree = new Quadtree(1000);
    const found = new Float64Array(2000);
    tree.build(map);
    const sum = tree.repulsion(0.5, found);
    expect(sum).not.toBe(total);
    expect(Math.abs(sum / total - 1)).toBeLessThan(0.01);
    let error = 0;
    let size = 0;
    for (let i = 0; i < 2000; i++) {
      error += (found[i] - forces[i]) ** 2;
      size += forces[i] ** 2;
    }
    expect(Math.sqrt(error / size)).toBeLessThan(0.02);
  });

  it("takes points that all lie in one place, and is built anew in place", () => {
    const tree = new Quadtree(50);
    const found = new Float64Array(100);
    tree.build(new Float64Array(100).fill(3));
    expect(tree.repulsion(0.5, found)).toBeCloseTo(50 * 49, 9);
    expect(largest(found)).toBe(0);
    const map = scattered(50, 5);
    tree.build(map);
    expect(tree.repulsion(0, found)).toBeCloseTo(exact(map).total, 9);
  });
});
