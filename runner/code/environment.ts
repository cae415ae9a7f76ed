/** The environment of a stage's process: which variables of the run's own it sees, and which a shell stage adds. */
import { UserError } from "../stage.ts";

/** The value of a variable, or the variable of the run's own environment that is passed on. */
export type EnvValue = string | { from: string };

/** `${env.NAME}` and nothing else. */
const PASSED_ON = /^\$\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}$/;

/** The variable that a value of `env:` passes on; undefined for any other value. */
export function passedOn(value: unknown): { from: string } | undefined {
  const [, from] = (typeof value === "string" && PASSED_ON.exec(value)) || [];
  return from === undefined ? undefined : { from };
}

/**
 * Variables that every stage sees: who and where it is, its language, where programs, libraries, devices and proxies
 * are, and how many threads to start. A stage sees no other variable: so no secret reaches it that nobody
 * passed on, and nothing that changes a result without being in its key.
 */
const NAMES = new Set(
  (
    "PATH HOME USER LOGNAME SHELL HOSTNAME PWD TMPDIR TMP TEMP TERM COLORTERM NO_COLOR FORCE_COLOR TZ LANG LANGUAGE " +
    "http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY " +
    "SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO " +
    "NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_V8_COVERAGE UV_THREADPOOL_SIZE DISPLAY " +
    "PYTHONPATH PYTHONHOME PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONHASHSEED VIRTUAL_ENV " +
    "JAVA_HOME R_HOME R_LIBS R_LIBS_USER PERL5LIB JULIA_DEPOT_PATH GOPATH CARGO_HOME RUSTUP_HOME MODULEPATH " +
    "TORCH_HOME HF_HOME SOURCE_DATE_EPOCH " +
    "DEEPHASH_TRACE"
  ).split(" "),
);
const PREFIXES =
  /^(LC_|LD_|DYLD_|XDG_|CUDA|CUDNN_|NVIDIA_|NCCL_|ROCR_|ROCM_|HIP_|HSA_|GPU_|ZE_|SYCL_|ONEAPI_|VK_|MESA_|LIBGL_|GALLIUM_|OMP_|GOMP_|KMP_|MKL_|OPENBLAS_|BLIS_|VECLIB_|NUMEXPR_|ORT_|TF_(CPP|CUDNN|DETERMINISTIC|ENABLE|FORCE|GPU|NUM|XLA)_|XLA_|CONDA_|SLURM_)/;
/** A name that says that its value is a secret: not passed on though its prefix is in the list. */
const SECRET = /TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|JWT|API_?KEY|_KEY$/i;
/** Where the shared cache is, and the cloud's credentials, by names that do not tell so much. */
const CLOUD = /^(AWS|AZURE|GOOGLE|GCP|DEEPHASH_REMOTE)(_|$)/;

/** The variables of an environment that the process of a stage sees without declaring them. */
export function stageEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(own).filter(([name]) => (NAMES.has(name) || PREFIXES.test(name)) && !SECRET.test(name)),
  );
}

/**
 * The environment of Slurm's commands, which sbatch keeps for the job: all but secrets, since a site may want any
 * variable there. Of the job, the processes of its stages see what {@link stageEnvironment} leaves.
 * @param passed names that stages pass on
 */
export function jobEnvironment(own: NodeJS.ProcessEnv, passed: Set<string>): NodeJS.ProcessEnv {
  const isKept = (name: string) =>
    passed.has(name) || /^(SLURM|SBATCH)_/.test(name) || !(SECRET.test(name) || CLOUD.test(name));
  return Object.fromEntries(Object.entries(own).filter(([name]) => isKept(name)));
}

/** The variables of the run's own environment that are passed on. */
export const namesPassedOn = (declared: Record<string, EnvValue> = {}): string[] =>
  Object.values(declared).flatMap((value) => (typeof value === "string" ? [] : [value.from]));

/** The environment that a shell stage declares, filled in. @throws UserError for a variable that is not set */
export function filledEnvironment(
  declared: Record<string, EnvValue>,
  own: NodeJS.ProcessEnv,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(declared).map(([name, value]) => {
      if (typeof value === "string") return [name, value];
      const given = own[value.from];
      if (given === undefined)
        throw new UserError(
          `its env passes on ${value.from}, which is not set. Set it: ${value.from}=… npm run pipeline`,
        );
      return [name, given];
    }),
  );
}
