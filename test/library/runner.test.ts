/** A pipeline that another program runs. */
import { expect, test } from "vitest";
import { type RunEvent, run } from "../../library/runner.ts";
import { Project } from "../runner/project.ts";

async function eventsOf(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("each event comes as it happens; a second run has nothing to do", async () => {
  const project = new Project();
  const first = await eventsOf(run("pipeline.yaml", { folder: project.root }));
  expect(first[0]).toMatchObject({ event: "begun", hits: 0 });
  expect(first.filter(({ event }) => event === "finished").length).toBe(4);
  expect(first.at(-1)!.event).toBe("summary");
  const second = await eventsOf(run("pipeline.yaml", { folder: project.root }));
  expect(second.filter(({ event }) => event === "finished")).toEqual([]);
  await expect(
    eventsOf(run("pipeline.yaml", { folder: project.root, set: { "numbers.count": 0 } })),
  ).rejects.toThrow(/count/);
  await expect(eventsOf(run("none.yaml", { folder: project.root }))).rejects.toThrow(/none\.yaml/);
  project.remove();
});
