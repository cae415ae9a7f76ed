/**
 * The supported versions of Node, each with an npm that its users have: `npm run test:node`. It needs the npm registry.
 * NODE_VERSIONS=22,24 takes some of them; NODE_TESTS=test/runner takes some of the tests, and leaves the sample out.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { cloneProject } from "../project-copy.ts";
import { scratch } from "../stages/shared/scratch.ts";

/** The oldest supported version of Node, then the newest of each even number; and the npm it is tried with. */
const SUPPORTED = [
  { node: "20.19.0", npm: "10" },
  { node: "22", npm: "11" },
  { node: "24", npm: "11" },
  { node: "26", npm: "12" },
];

/** `npm ci` installs 367 packages (npm 10: 369), 669 MB: many more, or much larger ones, entered by accident. */
const MOST_PACKAGES = 400;
const MOST_MEGABYTES = 720;

const versions = process.env.NODE_VERSIONS?.split(",");
const tests = process.env.NODE_TESTS?.split(",");
const wanted = SUPPORTED.filter(({ node }) => !versions || versions.includes(node.split(".")[0]));

/** The environment of a user: this process's, without the variables of the npm and the Vitest that run this test. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|vitest|node_|init_cwd$|test$)/i.test(name)),
);

/** Runs a program to its end and returns what it printed. */
function output(cwd: string, env: NodeJS.ProcessEnv, program: string, ...args: string[]): string {
  const done = spawnSync(program, args, { cwd, env, encoding: "utf8", maxBuffer: 1 << 28 });
  expect(done.status, `${args.join(" ")}\n${done.stdout}\n${done.stderr}`).toBe(0);
  return `${done.stdout}${done.stderr}`;
}

/** The warnings of npm about the project, without those about the user's own settings. */
const ofProject = (said: string) => said.replaceAll(/^.*Unknown (user|global|env) config.*$/gm, "");

/** npm on one version of Node: the binary that npm's package `node` would install, without that package's script. */
function npmOn(node: string, npm: string): (cwd: string, ...args: string[]) => string {
  const tools = scratch();
  writeFileSync(join(tools, "package.json"), '{ "private": true }\n');
  const packages = [`node-${process.platform}-${process.arch}@${node}`, `npm@${npm}`];
  output(tools, environment, "npm", "install", "--ignore-scripts", ...packages);
  const bin = join(tools, "node_modules/.bin");
  const env = { ...environment, PATH: `${bin}${delimiter}${process.env.PATH}`, NO_COLOR: "1" };
  const cli = join(tools, "node_modules/npm/bin/npm-cli.js");
  return (cwd, ...args) => output(cwd, env, join(bin, "node"), cli, ...args);
}

describe.each(wanted)("Node $node with npm $npm", ({ node, npm: version }) => {
  test("installs without a warning, builds, and passes the tests", () => {
    const root = cloneProject();
    const npm = npmOn(node, version);
    const installed = npm(root, "ci");
    expect(ofProject(installed)).not.toMatch(/warn|deprecated|error/i);
    const packages = Number(/added (\d+) packages/.exec(installed)?.[1]);
    const megabytes = Number.parseInt(output(root, environment, "du", "-sm", "node_modules"), 10);
    process.stdout.write(`Node ${node}, npm ${version}: ${packages} packages, ${megabytes} MB\n`);
    expect(packages).toBeLessThan(MOST_PACKAGES);
    expect(megabytes).toBeLessThan(MOST_MEGABYTES);
    expect(ofProject(npm(root, "run", "pipeline", "--", "status"))).not.toMatch(/npm warn/i);
    npm(root, "run", "build");
    npm(root, "test", "--", ...(tests ?? []));
    if (!tests) npm(root, "run", "pipeline", "--", "check");
  });
});

test("the oldest version tested is the oldest that package.json allows", () => {
  const { engines } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(`${engines.node}.0`).toBe(`>=${SUPPORTED[0].node}`);
});
