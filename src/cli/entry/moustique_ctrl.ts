import { main } from '../ctrl.ts';
import { runEntry } from '../run-entry.ts';

void runEntry(main);
