/** The inputs and the environment of a command, its outputs and its messages. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Project } from "../runner/project.ts";

const project = new Project();
afterAll(() => project.remove());

/** Runs a study of these stages, each a command that writes `text`, unless it says otherwise. */
async function run(stages: Record<string, string | object>, ...args: string[]) {
  const whole = Object.fromEntries(
    Object.entries(stages).map(([name, given]) => [
      name,
      {
        outputs: { text: "text" },
        publish: `reports/${name}`,
        ...(typeof given === "string" ? { run: given } : given),
      },
    ]),
  );
  project.write("pipeline.yaml", JSON.stringify({ profiles: { p: {} }, stages: whole }));
  const ended = await project.run(...args);
  return {
    ...ended,
    said: ended.out + ended.err,
    text: (name: string) => project.read(`reports/${name}/text`),
  };
}
/** The message about the failure of a stage. */
const failure = (out: string) => /^✗ \S+: (.*)$/m.exec(out)?.[1];

describe("a command", () => {
  test("may hold a here-document to its very end", async () => {
    project.reset();
    const { said, text } = await run({ a: "cat > ${out.text} <<END\none\nEND" });
    expect(said).toContain("all 1 are up to date");
    expect(text("a")).toBe("one\n");
    const log = execFileSync("sh", ["-c", `cat ${project.path("cache/logs")}/*`], { encoding: "utf8" });
    expect(log).not.toContain("here-document");
  });

  test("sees folders and files that stages made as such: find, tar, stat, the executable bit, empty folders", async () => {
    project.reset();
    const make = [
      "mkdir -p ${out.made}/deep/empty ${out.made}/bin; echo x > ${out.made}/deep/x",
      "printf '#!/bin/sh\\necho ran\\n' > ${out.made}/bin/tool; chmod +x ${out.made}/bin/tool",
      "cp ${out.made}/bin/tool ${out.tool}; echo one > ${out.one}",
    ].join("; ");
    const see = [
      "find ${in.made} -type f | wc -l; find ${in.made} -type l | wc -l; ls ${in.made}/deep",
      "tar -C ${in.made} -cf - . | tar -tvf - | cut -c1 | sort | uniq -c | tr -s ' '",
      "stat -c '%F %s' ${in.one}; ${in.made}/bin/tool; ${in.tool}",
      "if test -w ${in.one} && test $(id -u) != 0; then echo writable; fi",
    ].join("; ");
    const { said, text } = await run({
      make: { run: make, outputs: { made: "made/", tool: "tool", one: "one" } },
      see: {
        run: `(${see}) > \${out.text}`,
        inputs: { made: "make.made", tool: "make.tool", one: "make.one" },
      },
    });
    expect(said).toContain("all 2 are up to date");
    expect(text("see")).toBe("2\n0\nempty\nx\n 2 -\n 4 d\nregular file 4\nran\nran\n");
    expect((await project.run()).out).toContain("Nothing to do");
  });

  test("that writes into its input changes nothing of the store", async () => {
    project.reset();
    const stages = {
      make: { run: "echo x > ${out.d}/x", outputs: { d: "d/" } },
      spoil: {
        run: "chmod u+w ${in.d}/x; echo spoilt > ${in.d}/x; echo > ${out.text}",
        inputs: { d: "make.d" },
      },
      read: { run: "cat ${in.d}/x > ${out.text}", inputs: { d: "make.d" } },
    };
    const { said, text } = await run(stages, "--jobs", "1");
    expect(said).toContain("all 3 are up to date");
    expect(text("read")).toBe("x\n");
    expect((await project.run("verify")).code).toBe(0);
  });
});

describe("env", () => {
  const ENV = {
    run: 'printf "%s|" "$MODE" "$COUNT" "$TOKEN" "${SECRET-unset}" "${AWS_SECRET_ACCESS_KEY-unset}" "${DEEPHASH_SIGNING_KEY-unset}" "${HOME-unset}" > ${out.text}'.replaceAll(
      /\$\{(?!out)(\w+)-unset\}/g,
      "$(printenv $1 || echo unset)",
    ),
    matrix: { mode: ["fast"] },
    env: { MODE: '${mode}: it\'s "$$HOME"', COUNT: 3, TOKEN: "${env.MY_TOKEN}" },
  };

  test("is what a command sees beside a few variables: no secret that nobody passed on", async () => {
    project.reset();
    project.env = {
      MY_TOKEN: "sesame",
      SECRET: "s",
      AWS_SECRET_ACCESS_KEY: "a",
      DEEPHASH_SIGNING_KEY: "k",
      HOME: "/home/me",
    };
    const { said, text } = await run({ a: ENV });
    expect(said).toContain("all 1 are up to date");
    expect(text("a")).toBe('fast: it\'s "$HOME"|3|sesame|unset|unset|unset|/home/me|');
    // The value of a passed variable is in no log and no record; the key has its name alone.
    const held = execFileSync("grep", ["-rlE", "sesame", project.path("cache")], { encoding: "utf8" });
    expect(held.trim().split("\n")).toEqual([expect.stringContaining("/objects/")]); // the stage wrote it out itself
    project.env.MY_TOKEN = "another";
    expect((await run({ a: ENV })).out).toContain("Nothing to do");
  });

  test("is in the key, and why tells what changed", async () => {
    project.reset();
    project.env = { MY_TOKEN: "sesame" };
    await run({ a: ENV });
    const { out } = await run({ a: { ...ENV, env: { ...ENV.env, COUNT: 4 } } }, "status");
    expect(out).toContain('to run (env.COUNT: "3" → "4")');
    const passed = await run({ a: { ...ENV, env: { ...ENV.env, TOKEN: "${env.OTHER}" } } }, "status");
    expect(passed.out).toContain('to run (env.TOKEN.from: "MY_TOKEN" → "OTHER")');
    const none = await run({ a: { ...ENV, env: undefined } }, "status");
    expect(none.out).toContain("env.MODE");
  });

  test("without the variable it passes on is told before the command runs", async () => {
    project.reset();
    project.env = {};
    const { code, out } = await run({ a: ENV });
    expect(failure(out)).toBe(
      "its env passes on MY_TOKEN, which is not set. Set it: MY_TOKEN=… npm run pipeline",
    );
    expect(code).toBe(2);
  });

  test.each([
    [{ env: { "1A": "x" } }, "env"],
    [{ env: { A: ["x"] } }, "env.A: must be of type string or number or boolean"],
    [{ env: { A: "${list}" }, vars: { list: [1] } }, "env.A: must be a text, a number"],
    [{ env: { A: "a ${env.B}" } }, "as a whole value ${env.NAME}"],
    [
      { env: { A: "x" }, run: undefined, uses: "numbers", outputs: undefined },
      'only a stage with "run" has an env',
    ],
  ])("%j is refused", async (more, message) => {
    project.reset();
    const { code, err } = await run({ a: { run: "echo > ${out.text}", ...more } });
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe("how a command failed", () => {
  test.each([
    [
      "seq 1000000 | head -1 > ${out.text}",
      "its command ended with exit code 141. A program wrote on into a pipe whose reader",
    ],
    [
      "echo a > ${out.text}; grep b ${out.text}",
      "its command ended with exit code 1. It wrote nothing. Under set -e",
    ],
    [
      "echo $NOT_THERE > ${out.text}",
      "NOT_THERE: unbound variable. A stage sees few variables of the environment: pass it on with env: { NAME: ${env.NAME} }.",
    ],
    [
      "kill -KILL $$",
      "its command ended with exit code 137. A program was killed (SIGKILL), probably because",
    ],
    ["bash -c 'kill -SEGV $$'", "its command ended with exit code 139. A program was ended by SIGSEGV."],
    ["echo on stdout; exit 4", "its command ended with exit code 4: on stdout"],
    ["printf 'first\\nlast\\r\\n\\n' >&2; echo other; exit 4", "its command ended with exit code 4: last"],
    [
      "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 5",
      `its command ended with exit code 5: ${"x".repeat(300)}…`,
    ],
    [
      "printf '\\033]0;mine\\007\\033[2Jgone\\033[31mred\\rover\\302\\233x' >&2; exit 6",
      "its command ended with exit code 6: ",
    ],
  ])("%s", async (command, told) => {
    project.reset();
    const { code, out } = await run({ a: command });
    expect(failure(out)).toContain(told);
    expect(failure(out)!.length).toBeLessThan(600);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(code).toBe(1);
  });

  test("no bash on PATH is told", async () => {
    project.reset();
    mkdirSync(project.path("bin"));
    for (const name of ["node", "git"])
      symlinkSync(
        name === "node" ? process.execPath : execFileSync("which", [name], { encoding: "utf8" }).trim(),
        project.path("bin", name),
      );
    project.env = { PATH: project.path("bin") };
    const { code, out } = await run({ a: "echo > ${out.text}" });
    project.env = {};
    expect(failure(out)).toBe("there is no bash on PATH, which shell stages need. Install bash.");
    expect(code).toBe(2);
  });
});

test("a command that is too long is told", async () => {
  project.reset();
  const { code, out } = await run({
    a: { run: "echo ${with.words} > ${out.text}", with: { words: ["x".repeat(140_000)] } },
  });
  expect(failure(out)).toMatch(/^its command is longer than the system takes/);
  expect(code).toBe(2);
});

test("however much a command writes, little of it is held in memory", async () => {
  project.reset();
  const { said, text } = await run({
    a: "head -c 150000000 /dev/zero | tr '\\0' x; echo; (yes || true) | head -c 100000000 >&2 || true; grep VmHWM /proc/$PPID/status > ${out.text}",
  });
  expect(said).toContain("all 1 are up to date");
  const megabytes = Number(/(\d+) kB/.exec(text("a"))![1]) / 1024;
  expect(megabytes).toBeGreaterThan(10);
  expect(megabytes).toBeLessThan(180);
}, 60_000);

test("what only an output's other holders still write is waited for", async () => {
  project.reset();
  const { text } = await run({ a: "echo a > >(sleep 0.5; cat > ${out.text}; echo b >> ${out.text})" });
  expect(text("a")).toBe("a\nb\n");
});

test("timeout: 30d is not over at once", async () => {
  project.reset();
  const { said } = await run({ a: { run: "sleep 0.3; echo > ${out.text}", timeout: "30d" } });
  expect(said).toContain("all 1 are up to date");
});

describe("what a stage makes is up to date the next time, or refused", () => {
  test("a folder whose path has no slash at its end", async () => {
    project.reset();
    const { code } = await run({ a: { run: "mkdir ${out.d}; echo 1 > ${out.d}/x", outputs: { d: "lib" } } });
    expect(code).toBe(0);
    expect(project.read("reports/a/lib/x")).toBe("1\n");
    expect((await project.run()).out).toContain("Nothing to do");
  });

  test.each([
    [
      "a file in place of a folder",
      "rmdir ${out.d}; echo 1 > $(dirname ${out.d})/d",
      'made a file of its output "d" (d/), which is declared as a folder.',
    ],
    [
      "a path too long to be restored elsewhere",
      "cd ${out.d}; for i in $(seq 220); do mkdir dddddddddd; cd dddddddddd; done; touch f",
      'its result cannot be kept: the listing of its output "d" holds a name that is too long: ',
    ],
  ])("%s", async (_, command, message) => {
    project.reset();
    const { code, out } = await run({ a: { run: command, outputs: { d: "d/" } } });
    expect(failure(out)).toContain(message);
    expect(code).toBe(2);
  });
});

describe("inputs and outputs that are no files", () => {
  test("an output with a named pipe is refused, at once", async () => {
    project.reset();
    const { code, out } = await run({ a: { run: "mkfifo ${out.d}/pipe", outputs: { d: "d/" } } });
    expect(failure(out)).toBe(
      "its output d/pipe is a named pipe. Only regular files and folders count: remove it.",
    );
    expect(code).toBe(2);
  });

  test("an input with one is refused before anything runs, with its place", async () => {
    project.reset();
    mkdirSync(project.path("data"));
    execFileSync("mkfifo", [project.path("data/pipe")]);
    const { code, err } = await run({ a: { run: "ls ${in.d} > ${out.text}", inputs: { d: "./data" } } });
    expect(err).toMatch(
      /^pipeline\.yaml:1:\d+ a\.inputs\.d: data\/pipe is a named pipe\. Only regular files and folders count: remove it\.\n$/,
    );
    expect(code).toBe(2);
  });

  test("a symlinked folder in an input is followed, and a change in it is seen", async () => {
    project.reset({ "elsewhere/x": "1" });
    mkdirSync(project.path("data"));
    symlinkSync("../elsewhere", project.path("data/linked"));
    symlinkSync(".", project.path("data/up"));
    const stages = { a: { run: "cat ${in.d}/linked/x > ${out.text}", inputs: { d: "./data" } } };
    expect((await run(stages)).text("a")).toBe("1");
    writeFileSync(project.path("elsewhere/x"), "2");
    expect((await run(stages)).text("a")).toBe("2");
  });

  test.each([
    ["in an output", 'ln -s "$PWD/mine" ${out.d}/shown', "shown/photo"],
    ["in the place of one", 'rmdir ${out.d}; cd "$(dirname ${out.d})"; ln -s "$OLDPWD/mine" d', "photo"],
    ["by a hard link", 'ln "$PWD/mine/photo" ${out.d}/photo', "photo"],
  ])("the target of a link %s is copied, not moved", async (_, command, shown) => {
    project.reset({ "mine/photo": "precious" });
    const { out, code } = await run({ a: { run: command, outputs: { d: "d/" } } });
    expect(out).toContain("all 1 are up to date");
    expect(code).toBe(0);
    expect(project.read("mine/photo")).toBe("precious");
    writeFileSync(project.path("mine/photo"), "mine still");
    expect(project.read(`reports/a/d/${shown}`)).toBe("precious");
    expect((await project.run("verify")).code).toBe(0);
  });
});

test("an input that changes and changes back while a stage runs: nothing is kept under its key", async () => {
  project.reset({ "in.txt": "3", "folder/x": "3" });
  const flip = "echo 4 > FILE; cat FILE > ${out.text}; printf 3 > FILE";
  for (const [input, file] of [
    ["./in.txt", "in.txt"],
    ["./folder", "folder/x"],
  ]) {
    const stages = { a: { run: flip.replaceAll("FILE", file), inputs: { i: input } } };
    const { code, out } = await run(stages);
    expect(failure(out)).toBe(
      `its input changed while it ran (${file}), so its result was not kept. Run again when nothing writes there.`,
    );
    expect(code).toBe(2);
    expect((await project.run("status")).out).toContain("a  to run");
  }
});

test("a stage that runs twice in a run counts once", async () => {
  project.reset();
  const object = createHash("sha256").update("x\n").digest("hex");
  const { out, code } = await run(
    {
      a: "echo x > ${out.text}",
      b: { run: `rm cache/objects/*/${object}; cat \${in.a} > \${out.text}`, inputs: { a: "c.text" } },
      c: "echo y > ${out.text}",
      d: { run: "cat ${in.a} ${in.b} > ${out.text}", inputs: { a: "a.text", b: "b.text" } },
    },
    "--jobs",
    "1",
  );
  expect(out).toContain("is gone; a runs again.");
  expect(out).toMatch(/^Ran 4 stages in \S+ s; all 4 are up to date\.$/m);
  expect(code).toBe(0);
});

test("a run goes on to its end when nobody reads what it says", async () => {
  project.reset();
  const stages = (end: string) => ({
    a: "sleep 0.2; echo 1 > ${out.text}",
    b: { run: `cat \${in.a} > \${out.text}; ${end}`, inputs: { a: "a.text" } },
  });
  const piped = (end: string) => {
    project.write(
      "pipeline.yaml",
      JSON.stringify({
        profiles: { p: {} },
        stages: Object.fromEntries(
          Object.entries(stages(end)).map(([name, given]) => [
            name,
            {
              outputs: { text: "text" },
              publish: `reports/${name}`,
              ...(typeof given === "string" ? { run: given } : given),
            },
          ]),
        ),
      }),
    );
    return execFileSync(
      "bash",
      [
        "-c",
        `"$0" "$1" 2>&1 | head -1; echo "code \${PIPESTATUS[0]}"`,
        process.execPath,
        join(process.cwd(), "runner/main.mjs"),
      ],
      { cwd: project.root, encoding: "utf8" },
    );
  };
  expect(piped("true")).toBe("Profile p: 0 of 2 stages are up to date.\ncode 0\n");
  expect(project.read("reports/b/text")).toBe("1\n");
  expect(piped("exit 3")).toMatch(/code 1\n$/);
});

test("PATH is there", async () => {
  project.reset();
  const { text } = await run({ a: 'printf %s "$PATH" > ${out.text}' });
  expect(text("a").split(delimiter)).toContain("/usr/bin");
  expect(readFileSync(project.path("reports/a/text"), "utf8")).toBe(process.env.PATH);
});
