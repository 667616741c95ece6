#!/usr/bin/env node
// Subscribes and prints messages. Built by `npm run build`.
require('../dist/bin/moustique_sub.cjs');
