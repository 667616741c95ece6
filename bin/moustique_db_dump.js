#!/usr/bin/env node
// Shows what is in a database file. Built by `npm run build`.
import('../dist/bin/moustique_db_dump.js');
