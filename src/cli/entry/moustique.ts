/** Entry of the executable `moustique`. */
import { main } from '../broker.ts';

process.exitCode = await main(process.argv, process.env);
// Whatever still waits (a slow name server, a log on a dead disk) must not keep a broker that has stopped.
process.exit();
