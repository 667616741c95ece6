#!/usr/bin/env node
// Signals a running broker. Built by `npm run build`.
require('../dist/bin/moustique_signal.cjs');
