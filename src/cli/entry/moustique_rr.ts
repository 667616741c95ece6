import { main } from '../rr.ts';
import { runEntry } from '../run-entry.ts';

void runEntry(main);
