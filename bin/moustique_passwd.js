#!/usr/bin/env node
// Edits password files. Built by `npm run build`.
require('../dist/bin/moustique_passwd.cjs');
