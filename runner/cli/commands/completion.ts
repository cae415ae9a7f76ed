/** `completion SHELL`: the script that lets a shell complete commands, options, profiles and stages. */
import { join } from "node:path";
import type { Command } from "commander";
import { UserError } from "../../stage.ts";
import { shellWord, suggest } from "../../text/index.ts";
import { type Candidate, candidates, FILES } from "./candidates.ts";

export const SHELLS = ["bash", "zsh", "fish"];

/**
 * The script of a shell. It asks this program for the candidates of the line up to the cursor; each is a word, a tab and
 * a description. The first line ":files" stands for file names.
 * @param ask the command that answers
 */
const scripts: Record<string, (ask: string) => string> = {
  bash: (ask) => `# Completion of deephash in bash: deephash completion bash >> ~/.bashrc
_deephash() {
  local line="\${COMP_LINE:0:COMP_POINT}" current prefix candidate
  current="\${line##*[[:space:]]}"
  prefix="\${current%"\${current##*[=:]}"}" # bash completes what follows the last = or :
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    if [ "$candidate" = "${FILES}" ]; then
      compopt -o default 2>/dev/null
      return
    fi
    case "$candidate" in
      *[.=#]) compopt -o nospace 2>/dev/null ;;
    esac
    COMPREPLY+=("\${candidate#"$prefix"}")
  done < <(${ask} "$line" 2>/dev/null)
}
complete -F _deephash deephash`,
  zsh: (ask) => `#compdef deephash
# Completion of deephash in zsh: deephash completion zsh >> ~/.zshrc, after compinit
_deephash() {
  local -a found open
  local line word
  for line in "\${(@f)$(${ask} "\${(j: :)words[1,CURRENT]}" 2>/dev/null)}"; do
    word="\${line%%$'\\t'*}"
    [[ -z "$word" ]] && continue
    if [[ "$word" == "${FILES}" ]]; then
      _files
      return
    fi
    case "$word" in
      *[.=#]) open+=("$word") ;;
      *) found+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( \${#open} )) && compadd -S '' -a open
  (( \${#found} )) && _describe 'deephash' found
}
compdef _deephash deephash`,
  fish: (
    ask,
  ) => `# Completion of deephash in fish: deephash completion fish > ~/.config/fish/completions/deephash.fish
function __deephash
    set -l found (${ask} (commandline -cp | string collect) 2>/dev/null)
    if test "$found[1]" = "${FILES}"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $found
    end
end
complete -c deephash -f -a '(__deephash)'`,
};

function completionCommand(shell: string, home: string): number {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (!script)
    throw new UserError(
      `completion ${shell}: no such shell.${suggest(shell, SHELLS) || ` There are ${SHELLS.join(", ")}.`}`,
    );
  const ask = [process.execPath, join(home, "bin/deephash.mjs")].map(shellWord).join(" ");
  console.log(script(`${ask} complete`));
  return 0;
}

const lineOf = ({ word, effect }: Candidate) => (effect ? `${word}\t${effect}` : word);

/** Adds `completion`, and the hidden `complete`, which its scripts call. @param home the folder of the package */
export function addCompletion(
  program: Command,
  guard: (work: Promise<number>, debug: boolean | undefined) => Promise<void>,
  home: string,
): void {
  program
    .command("completion")
    .argument("<shell>", SHELLS.join(", "))
    .description("print the completion script of bash, zsh or fish")
    .action((shell: string) => guard((async () => completionCommand(shell, home))(), false));
  program
    .command("complete", { hidden: true })
    .argument("<line>")
    .action((line: string) => {
      for (const found of candidates(line, program, process.cwd()))
        process.stdout.write(`${lineOf(found)}\n`);
    });
}
