import { render } from 'preact';
import { App } from './app.tsx';
import { preferredLanguage, useLanguage } from './i18n.ts';
import { followOffline } from './offline.ts';
import { followAddress } from './router.ts';
import { askSession } from './session.ts';
import { followTheme } from './theme.ts';

followTheme();
followAddress();
followOffline();
void askSession();
await useLanguage(preferredLanguage(), false);
const place = document.getElementById('app');
if (place !== null) render(<App />, place);
