/** Entry of the executable `moustique`: the broker. */
import { main } from '../broker.ts';

void main(process.argv, process.env).then((status) => {
  process.exitCode = status;
  // Whatever still waits (a slow name server, a log on a dead disk) must not keep a broker that has stopped.
  process.exit();
});
