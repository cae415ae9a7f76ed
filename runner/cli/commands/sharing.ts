/** The commands about a shared cache. */
import { userInfo } from "node:os";
import { type Command, Option } from "commander";
import colors from "picocolors";
import { given } from "../../files/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { RemoteOptions } from "../../remote/index.ts";
import type { Store } from "../../store/index.ts";

/** `--remote`, of every command that takes it. */
export const remoteOption = () =>
  new Option("--remote <place>", "a shared cache: a folder, or s3://BUCKET/PREFIX")
    .env("DEEPHASH_REMOTE")
    .argParser((place) => (place === "" || place.includes("://") ? place : given(place)));

async function keyCommand(): Promise<number> {
  const { makeSigner, readSigner, signingKeyPath } = await import("../../store/index.ts");
  const known = readSigner();
  const path = signingKeyPath();
  const { publicKey } = known ?? makeSigner(path);
  console.log(`${known ? "The signing key exists already" : `A new signing key is in ${path}`}. Keep it secret.

To use the results that you push, others need this line in the project's file trusted-keys (commit it):

  ${publicKey} ${userInfo().username}

Then push with --remote PLACE --remote-push. Without that key file, as in CI, set the variable
DEEPHASH_SIGNING_KEY to the content of ${path}, or to the path of a copy.`);
  return 0;
}

/** Uploads the results of the store that the shared cache lacks. */
async function pushCommand(
  { plan, store, root }: { plan: Plan; store: Store; root: string },
  options: RemoteOptions,
): Promise<number> {
  const { openRemote } = await import("../../remote/index.ts");
  const warn = (line: string) => console.error(colors.yellow(`! ${line}`));
  const { signal } = new AbortController();
  const remote = (await openRemote({ ...options, remotePush: true }, root, store, warn, signal))!;
  const leave = await store.enter((owner) => warn(`waits: ${owner} is collecting garbage.`));
  try {
    plan.advance();
    const hits = [...plan.states.values()].flatMap((state) =>
      state.kind === "hit" && !store.isPromise(state.key) ? [state.record] : [],
    );
    const records = hits.filter(({ by }) => by === undefined); // results of others carry their signatures
    const there = await Promise.all(records.map(({ key }) => remote.holds(key)));
    const whole = records.filter(
      ({ outputs }, index) => !there[index] && Object.values(outputs).every((one) => !store.faultOf(one)),
    );
    for (const record of whole) remote.push(record);
    await remote.settle();
    const { pushed, notPushed } = remote.count;
    console.log(
      `${remote.name}: pushed ${pushed} of ${records.length} results, ${there.filter(Boolean).length} existed${hits.length > records.length ? `, ${hits.length - records.length} more came from others` : ""}${notPushed ? `, ${notPushed} were not uploaded` : ""}.`,
    );
    return notPushed ? 1 : 0;
  } finally {
    store.save();
    leave();
  }
}

/** Adds them to the program. */
export function addSharing<Options extends RemoteOptions & { debug?: boolean }>(
  program: Command,
  {
    withOptions,
    prepare,
    guard,
  }: {
    withOptions(command: Command): Command;
    prepare(options: Options): Promise<{ plan: Plan; store: Store; root: string }>;
    guard(work: Promise<number>, debug: boolean | undefined): Promise<void>;
  },
): void {
  program
    .command("key")
    .description("make or show the key that signs pushed results")
    .action(() => guard(keyCommand(), false));
  withOptions(program.command("push").description("upload up-to-date results to a shared cache, signed"))
    .addOption(remoteOption())
    .action((options: Options) =>
      guard(
        prepare(options).then((session) => pushCommand(session, options)),
        options.debug,
      ),
    );
}
