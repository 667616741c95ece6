#!/usr/bin/env node
// Asks a running broker, or configuration files. Built by `npm run build`.
require('../dist/bin/moustique_ctrl.cjs');
