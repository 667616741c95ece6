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
  if ('serviceWorker' in navigator) void navigator.serviceWorker.register(workerUrl()).catch(() => undefined);
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): {
    createScriptURL(url: string): string;
  };
}

/** The one address of a script that is ever asked for by name; the content security policy allows no other policy. */
function workerUrl(): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy('moustique', { createScriptURL: () => 'sw.js' });
  return policy?.createScriptURL('sw.js') ?? 'sw.js';
}
