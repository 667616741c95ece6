/** `moustique_ctrl`: asks a running broker, and answers from configuration files what it can without one. */
import { clientOptions } from './client-options.ts';
import { aclModule } from './ctrl-acl.ts';
import { brokerModule } from './ctrl-broker.ts';
import { dynsecModule } from './ctrl-dynsec.ts';
import type { ControlModule } from './ctrl-module.ts';
import { ExitCode, USAGE_STATUS } from './exit-code.ts';
import { helpText } from './help.ts';
import { runTool } from './run-tool.ts';
import type { ToolIo } from './tool-io.ts';

const modules: Readonly<Record<string, ControlModule>> = {
  acl: aclModule,
  broker: brokerModule,
  dynsec: dynsecModule,
};

/** @returns the exit status */
export function main(words: readonly string[], io: ToolIo): Promise<number> {
  const [options, [moduleName, command, ...args]] = splitWords(words);
  return runTool('ctrl', options, io, async (toolOptions) => {
    if (moduleName === undefined) {
      io.stdout.text(`${helpText('ctrl', io.name)}\n${modulesText(io.name)}`);
      return USAGE_STATUS;
    }
    const module = modules[moduleName.toLowerCase()];
    if (module === undefined) {
      io.error(`Error: Module '${moduleName}' not supported.\n`);
      return ExitCode.NotSupported;
    }
    if (command === undefined || command.toLowerCase() === 'help') {
      io.stdout.text(`${io.name} ${moduleName.toLowerCase()}:\n${module.help(io.name)}`);
      return command === undefined ? USAGE_STATUS : ExitCode.Success;
    }
    const run = module.commands[command.toLowerCase()];
    if (run === undefined) {
      io.error(`Command '${command}' not recognised.\n`);
      return ExitCode.Unknown;
    }
    return await run(args, toolOptions, io);
  });
}

/** Options come first; the first word that is none begins the module's own words. */
function splitWords(words: readonly string[]): readonly [options: readonly string[], rest: readonly string[]] {
  let index = 0;
  while (index < words.length) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) break;
    const row = clientOptions.find(({ flags, tools }) => flags.includes(word) && tools.includes('ctrl'));
    // Whoever reads the options says what is wrong with this one.
    if (row === undefined || row.isProperty === true) return [words, []];
    index += row.argument === undefined ? 1 : 2;
  }
  return [words.slice(0, index), words.slice(index)];
}

/** Every module with its commands. */
export function modulesText(name: string): string {
  const texts = Object.entries(modules).map(([module, { help }]) => `${module}:\n${help(name)}`);
  return `Modules and their commands:\n\n${texts.join('\n')}`;
}
