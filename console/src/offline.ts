/** The installed console: its shell starts without network and says so. */

import { signal } from '@preact/signals';

export const isOffline = signal(!navigator.onLine);
/** What a browser offers when the console can be installed. */
export const installOffer = signal<(() => Promise<void>) | undefined>(undefined);

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

export function followOffline(): void {
  window.addEventListener('online', () => {
    isOffline.value = false;
  });
  window.addEventListener('offline', () => {
    isOffline.value = true;
  });
  window.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    installOffer.value = async () => {
      installOffer.value = undefined;
      await (event as InstallPrompt).prompt();
    };
  });
  // Without HTTPS there is no service worker, except on the broker's own machine.
  if ('serviceWorker' in navigator) void navigator.serviceWorker.register('sw.js').catch(() => undefined);
}
