#!/usr/bin/env node
// Shows what is in a database file. Built by `npm run build`.
require('../dist/bin/moustique_db_dump.cjs');
