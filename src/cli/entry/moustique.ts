/** Entry of the executable `moustique`: the broker, or one of the tools as a command. */
import { isCommand, runCommand } from '../commands.ts';

const [command, ...words] = process.argv.slice(2);
if (isCommand(command)) {
  void runCommand(command, words);
} else {
  const { main } = await import('../broker.ts');
  process.exitCode = await main(process.argv, process.env);
  // Whatever still waits (a slow name server, a log on a dead disk) must not keep a broker that has stopped.
  process.exit();
}
