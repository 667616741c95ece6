import { runEntry } from '../run-entry.ts';
import { main } from '../signal.ts';

await runEntry(main);
