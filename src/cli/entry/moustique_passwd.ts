import { main } from '../passwd.ts';
import { runEntry } from '../run-entry.ts';

await runEntry(main);
