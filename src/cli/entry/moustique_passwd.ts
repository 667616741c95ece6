import { main } from '../passwd.ts';
import { runEntry } from '../run-entry.ts';

void runEntry(main);
