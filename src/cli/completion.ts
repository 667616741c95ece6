/** `moustique completion SHELL`: completions for the tools, made from the tables of options. */
import { clientOptions } from './client-options.ts';
import { commandNames } from './commands.ts';
import { dynsecRows } from './ctrl-dynsec-rows.ts';
import type { OptionRow } from './option-row.ts';
import { type PlainOption, passwdTool, signalTool } from './plain-options.ts';
import type { ToolIo } from './tool-io.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** @returns the exit status */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  const shell = SHELLS.find((name) => name === words[0]);
  if (shell === undefined || words.length !== 1) {
    io.error(`Usage: ${io.name} {${SHELLS.join(' | ')}}\n`);
    return 1;
  }
  io.stdout.text(completionScript(shell));
  return 0;
}

/** Modules of `moustique_ctrl`, and their commands. */
const controlWords = [
  ...['acl', 'broker', 'dynsec', 'explain', 'help', 'init', 'listListeners', 'listPlugins'],
  ...dynsecRows.map(({ name }) => name),
];

/** An option as a shell needs it. */
interface Completable {
  readonly flags: readonly string[];
  readonly argument: string | undefined;
  readonly help: string;
  readonly values: 'file' | 'directory' | 'host' | readonly string[] | undefined;
}

interface CompletableTool {
  readonly name: string;
  readonly options: readonly Completable[];
  readonly operands: 'file' | 'none' | readonly string[];
}

function tools(): readonly CompletableTool[] {
  const clients = (['pub', 'sub', 'rr', 'ctrl'] as const).map(
    (tool): CompletableTool => ({
      name: tool,
      options: clientOptions.filter((row) => row.tools.includes(tool)).map(completable),
      operands: tool === 'ctrl' ? controlWords : 'none',
    }),
  );
  return [
    ...clients,
    { name: 'passwd', options: passwdTool.options.map(completable), operands: passwdTool.operands },
    { name: 'signal', options: signalTool.options.map(completable), operands: signalTool.operands },
  ];
}

function completable(option: OptionRow | PlainOption): Completable {
  return { flags: option.flags, argument: option.argument, help: option.help, values: option.completes };
}

/** The whole script for a shell; it serves the tools under our names and under Mosquitto's. */
export function completionScript(shell: (typeof SHELLS)[number]): string {
  switch (shell) {
    case 'bash':
      return `# Completions of the Moustique tools for bash.\n${tools().map(bashTool).join('')}${bashCommands()}`;
    case 'zsh':
      return zshScript();
    case 'fish':
      return `# Completions of the Moustique tools for fish.\n${tools().map(fishTool).join('')}${fishCommands()}`;
  }
}

function bashTool({ name, options, operands }: CompletableTool): string {
  const cases = options
    .filter((option) => option.argument !== undefined)
    .map((option) => `    ${option.flags.join('|')}) ${bashValues(option.values)} return ;;\n`);
  const flags = options.flatMap((option) => option.flags).join(' ');
  const words = typeof operands === 'string' ? '' : ` ${operands.join(' ')}`;
  const files = operands === 'file' ? '  [[ $current == -* ]] || COMPREPLY=($(compgen -f -- "$current"))\n' : '';
  return `_moustique_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  case $previous in
${cases.join('')}  esac
  COMPREPLY=($(compgen -W '${flags}${words}' -- "$current"))
${files}}
complete -F _moustique_${name} moustique_${name} mosquitto_${name}
`;
}

/** `moustique` itself: a command, and then whatever that command has; or else files, for the broker's `-c`. */
function bashCommands(): string {
  return `_moustique() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]}
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commandNames.join(' ')}' -- "$current"))
  elif declare -F "_moustique_$command" >/dev/null; then
    COMP_WORDS=("\${COMP_WORDS[@]:1}")
    ((COMP_CWORD--))
    "_moustique_$command"
  else
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -F _moustique moustique
`;
}

function bashValues(values: Completable['values']): string {
  switch (values) {
    case undefined:
      return '';
    case 'file':
      return 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$current"));';
    case 'directory':
      return 'compopt -o filenames; COMPREPLY=($(compgen -d -- "$current"));';
    case 'host':
      return 'COMPREPLY=($(compgen -A hostname -- "$current"));';
    default:
      return `COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$current"));`;
  }
}

function zshScript(): string {
  const names = tools().flatMap(({ name }) => [`moustique_${name}`, `mosquitto_${name}`]);
  const cases = tools().map(({ name, options, operands }) => {
    const lines = options.flatMap((option) => option.flags.map((flag) => `        ${zshOption(flag, option)} \\\n`));
    const rest =
      operands === 'file' ? "'*:file:_files'" : operands === 'none' ? "'*: :'" : `'*:word:(${operands.join(' ')})'`;
    return `    *_${name})\n      _arguments \\\n${lines.join('')}        ${rest} ;;\n`;
  });
  return `#compdef moustique ${names.join(' ')}
# Completions of the Moustique tools for zsh: read by a start-up file, or kept as _moustique in a directory of $fpath.
_moustique_tools() {
  case $service in
${cases.join('')}    *) _files ;;
  esac
}
_moustique() {
  if [[ $service != moustique ]]; then
    _moustique_tools
  elif (( CURRENT == 2 )); then
    compadd -- ${commandNames.join(' ')}
  else
    local service=moustique_$words[2]
    shift words
    (( CURRENT-- ))
    _moustique_tools
  fi
}
if [[ $funcstack[1] == _moustique ]]; then
  _moustique "$@"
else
  compdef _moustique moustique ${names.join(' ')}
fi
`;
}

function zshOption(flag: string, { argument, help, values }: Completable): string {
  const text = firstSentence(help).replace(/[[\]:\\]/g, (one) => `\\${one}`);
  const action =
    values === undefined
      ? ' '
      : values === 'file'
        ? '_files'
        : values === 'directory'
          ? '_files -/'
          : values === 'host'
            ? '_hosts'
            : `(${values.join(' ')})`;
  const taken = argument === undefined ? '' : `:${argument.toLowerCase()}:${action}`;
  return shellQuote(`*${flag}[${text}]${taken}`);
}

function fishTool({ name, options, operands }: CompletableTool): string {
  // The last one stands for the command of `moustique`.
  const commands = [`moustique_${name}`, `mosquitto_${name}`, `moustique -n '__fish_seen_subcommand_from ${name}'`];
  const lines = commands.flatMap((command) => [
    ...(operands === 'file' ? [] : [`complete -c ${command} -f\n`]),
    ...(typeof operands === 'string' ? [] : [`complete -c ${command} -a ${shellQuote(operands.join(' '))}\n`]),
    ...options.map((option) => fishOption(command, option)),
  ]);
  return lines.join('');
}

function fishCommands(): string {
  return `complete -c moustique -f -n __fish_use_subcommand -a ${shellQuote(commandNames.join(' '))}\n`;
}

function fishOption(command: string, { flags, argument, help, values }: Completable): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const list = typeof values === 'object' ? ` -a ${shellQuote(values.join(' '))}` : '';
  const isPath = values === 'file' || values === 'directory';
  const needs = argument === undefined ? '' : isPath ? ' -r -F' : ' -x';
  return `complete -c ${command} ${names.join(' ')}${needs}${list} -d ${shellQuote(firstSentence(help))}\n`;
}

function firstSentence(text: string): string {
  return text.split(/(?<=\.) /)[0] ?? text;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
