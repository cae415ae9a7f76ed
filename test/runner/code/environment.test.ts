import { expect, test } from "vitest";
import { filledEnvironment, passedOn, stageEnvironment } from "../../../runner/code/environment.ts";

const seen = (...names: string[]) =>
  Object.keys(stageEnvironment(Object.fromEntries(names.map((name) => [name, "x"]))));

test("a stage sees what programs need", () => {
  const needed = [
    ..."PATH HOME USER LANG LC_ALL TZ TMPDIR LD_LIBRARY_PATH CUDA_VISIBLE_DEVICES CUDA_HOME OMP_NUM_THREADS".split(
      " ",
    ),
    ..."https_proxy HTTPS_PROXY NO_PROXY SSL_CERT_FILE NODE_OPTIONS PYTHONPATH VIRTUAL_ENV CONDA_PREFIX".split(
      " ",
    ),
    ..."SLURM_JOB_ID ORT_DISABLE_TELEMETRY VK_DRIVER_FILES XDG_RUNTIME_DIR DEEPHASH_TRACE".split(" "),
  ];
  expect(seen(...needed)).toEqual(needed);
});

test("and no secret, under any name", () => {
  expect(
    seen(
      ..."DEEPHASH_SIGNING_KEY DEEPHASH_REMOTE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_PROFILE GITHUB_TOKEN".split(
        " ",
      ),
      ..."NODE_AUTH_TOKEN CONDA_TOKEN TF_API_KEY SLURM_JWT_TOKEN OPENAI_API_KEY DATABASE_URL PGPASSWORD".split(
        " ",
      ),
      ..."SSH_AUTH_SOCK TF_VAR_db SLURM_JWT npm_config__auth GOOGLE_APPLICATION_CREDENTIALS MY_OWN_WORD path".split(
        " ",
      ),
    ),
  ).toEqual([]);
});

test("a variable is passed on as a whole value alone", () => {
  expect(passedOn("${env.TOKEN}")).toEqual({ from: "TOKEN" });
  expect(passedOn("${ env.TOKEN }")).toEqual({ from: "TOKEN" });
  for (const other of ["a${env.TOKEN}", "${env.}", "${env.a-b}", "$${env.A}", "$env.A", 3, undefined])
    expect(passedOn(other)).toBeUndefined();
});

test("declared variables are filled in, and unset ones are reported", () => {
  const declared = { A: "plain", B: { from: "SECRET" }, C: { from: "EMPTY" } };
  expect(filledEnvironment(declared, { SECRET: "s", EMPTY: "" })).toEqual({ A: "plain", B: "s", C: "" });
  expect(() => filledEnvironment(declared, { EMPTY: "" })).toThrow(
    "its env passes on SECRET, which is not set. Set it: SECRET=… npm run pipeline",
  );
});
