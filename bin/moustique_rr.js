#!/usr/bin/env node
// Sends a request and prints the response. Built by `npm run build`.
require('../dist/bin/moustique_rr.cjs');
