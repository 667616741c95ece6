// What a screen reader says on the way through the console, in both languages, and that it is not made to talk without a pause.
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { heard } from './heard.ts';
import { connect, logIn, openConsole, settled, startConsoleBroker } from './open-console.ts';

/** What is heard, a line for each thing that is said. */
const scripts = {
  'en-GB': {
    login: `
      main ""
      heading "Moustique" level 1
      heading "Log in" level 2
      textbox "User name" = ada required
      textbox "Password" = ••••• required
      alert "User name or password is not right."
      button "Log in"
      link "Connect to another broker"
      combobox "Language" = English collapsed
      combobox "Theme" = as the system collapsed
    `,
    topics: `
      link "Skip to the content"
      banner ""
      link "Moustique"
      button "Go to …"
      link "Guide"
      button "Log out"
      navigation "Screens"
      link "Overview"
      link "Topics"
      link "Messages"
      link "Clients"
      link "Settings"
      main "Topics"
      heading "Topics" level 1
      tablist "Topics"
      tab "Tree" selected
      tab "Retained"
      searchbox "Search topics"
      combobox "How to search" = text in topic collapsed
      region "Tree"
      combobox "Sort by" = name collapsed
      button "Close all"
      tree "Tree"
      treeitem "maison , 2 topics below" level 1 expanded
      treeitem "climat , {"t":21} , retained" level 2 selected
      treeitem "salon , 21 , retained" level 2
      region "Topic"
      button "Back"
      heading "maison/climat" level 2
      button "Copy the topic"
      link "Publish"
      tablist "Topic"
      tab "Value" selected
      tab "Stream"
      tab "History"
      tab "Receivers"
      button "Hold"
      button "Compare with the one before" disabled
      button "JSON" pressed
      button "Text"
      button "Hex"
      button "Copy the payload"
      button "Save the payload as a file"
      tree "JSON document"
      treeitem "{ 1 }" level 1 expanded selected
      treeitem "t: 21" level 2
      button "Copy path"
      button "Copy value"
    `,
    publish: `
      main "Messages"
      heading "Messages" level 1
      tablist "Messages"
      tab "Live"
      tab "History"
      tab "Publish" selected
      tab "Saved"
      combobox "Topic" = maison/lampe required
      textbox "Payload"
      combobox "Payload is" = text collapsed
      combobox "QoS" = 0 · at most once collapsed
      checkbox "Retain"
      DisclosureTriangle "MQTT 5.0 properties" collapsed
      button "Publish"
      button "Save"
      status "0 subscriptions would get it"
      status "Sent to 0 subscriptions Reason Code 0x10 No matching subscribers"
    `,
    kick: `
      dialog "Disconnect a client" (capteur Its connection ends. Most clients connect again at once.)
      banner ""
      heading "Disconnect a client" level 2
      button "Close"
      checkbox "End its session too: subscriptions and waiting messages go"
      button "Cancel"
      button "Disconnect"
    `,
    delete: `
      dialog "Delete retained messages" (2 retained messages (10 B) match and will be deleted: # For ten minutes this can be undone.)
      banner ""
      heading "Delete retained messages" level 2
      button "Close"
      button "Cancel"
      button "Delete 2 messages"
    `,
    deleted: 'status "2 retained messages deleted Undo"',
  },
  'fr-FR': {
    login: `
      main ""
      heading "Moustique" level 1
      heading "Connexion" level 2
      textbox "Nom d’utilisateur" = ada required
      textbox "Mot de passe" = ••••• required
      alert "Le nom d’utilisateur ou le mot de passe est faux."
      button "Se connecter"
      link "Se connecter à un autre broker"
      combobox "Langue" = Français collapsed
      combobox "Thème" = comme le système collapsed
    `,
    topics: `
      link "Aller au contenu"
      banner ""
      link "Moustique"
      button "Aller à…"
      link "Guide"
      button "Se déconnecter"
      navigation "Écrans"
      link "Aperçu"
      link "Topics"
      link "Messages"
      link "Clients"
      link "Réglages"
      main "Topics"
      heading "Topics" level 1
      tablist "Topics"
      tab "Arbre" selected
      tab "Retenus"
      searchbox "Chercher des topics"
      combobox "Comment chercher" = texte du topic collapsed
      region "Arbre"
      combobox "Trier par" = nom collapsed
      button "Tout replier"
      tree "Arbre"
      treeitem "maison , 2 topics en dessous" level 1 expanded
      treeitem "climat , {"t":21} , retenu" level 2 selected
      treeitem "salon , 21 , retenu" level 2
      region "Topic"
      button "Retour"
      heading "maison/climat" level 2
      button "Copier le topic"
      link "Publier"
      tablist "Topic"
      tab "Valeur" selected
      tab "Flux"
      tab "Historique"
      tab "Destinataires"
      button "Figer"
      button "Comparer au précédent" disabled
      button "JSON" pressed
      button "Texte"
      button "Hexa"
      button "Copier le contenu"
      button "Enregistrer le contenu dans un fichier"
      tree "Document JSON"
      treeitem "{ 1 }" level 1 expanded selected
      treeitem "t: 21" level 2
      button "Copier le chemin"
      button "Copier la valeur"
    `,
    publish: `
      main "Messages"
      heading "Messages" level 1
      tablist "Messages"
      tab "En direct"
      tab "Historique"
      tab "Publier" selected
      tab "Enregistrés"
      combobox "Topic" = maison/lampe required
      textbox "Contenu"
      combobox "Le contenu est" = texte collapsed
      combobox "QoS" = 0 · au plus une fois collapsed
      checkbox "Retenir"
      DisclosureTriangle "Propriétés MQTT 5.0" collapsed
      button "Publier"
      button "Enregistrer"
      status "0 abonnement le recevrait"
      status "Envoyé à 0 abonnement Code de raison 0x10 No matching subscribers"
    `,
    kick: `
      dialog "Déconnecter un client" (capteur Sa connexion prend fin. La plupart des clients se reconnectent aussitôt.)
      banner ""
      heading "Déconnecter un client" level 2
      button "Fermer"
      checkbox "Terminer aussi sa session : abonnements et messages en attente disparaissent"
      button "Annuler"
      button "Déconnecter"
    `,
    delete: `
      dialog "Supprimer des messages retenus" (2 messages retenus (10 o) correspondent et seront supprimés : # Cela peut être annulé pendant dix minutes.)
      banner ""
      heading "Supprimer des messages retenus" level 2
      button "Fermer"
      button "Annuler"
      button "Supprimer 2 messages"
    `,
    deleted: 'status "2 messages retenus supprimés Annuler"',
  },
} as const;

/** The lines of a script. */
const linesOf = (script: string): string[] => script.trim().split(/\n\s*/);

describeWith(['chromium'], 'a screen reader', () => {
  const resources = useResources();

  test.each(['en-GB', 'fr-FR'] as const)('hears what there is: %s', { timeout: 120_000 }, async (locale) => {
    const broker = await startConsoleBroker(resources);
    const sensor = await connect(resources, broker, { clientId: 'capteur', protocolVersion: 5 });
    await sensor.publishAsync('maison/salon', '21', { qos: 1, retain: true });
    await sensor.publishAsync('maison/climat', '{"t":21}', { qos: 1, retain: true });
    const browser = await startBrowser(resources);
    const { page, base } = await openConsole(resources, browser, broker, { locale });
    const script = scripts[locale];
    const expectHeard = async (part: Exclude<keyof typeof script, 'deleted'>, from?: string): Promise<void> => {
      // How many topics the broker itself has is no matter.
      const lines = (await heard(page, from)).filter((line) => !line.includes('$SYS'));
      expect(lines, part).toEqual(linesOf(script[part]));
    };

    await page.locator('input[name=username]').fill('ada');
    await page.locator('input[name=password]').fill('wrong');
    await page.locator('button[type=submit]').click();
    await page.getByRole('alert').waitFor();
    await expectHeard('login');
    await logIn(page);

    await page.goto(`${base}/#/topics?open=maison&topic=maison%2Fclimat`);
    await page.getByRole('treeitem', { name: /^t: 21/ }).waitFor();
    await page.getByRole('treeitem', { name: /^salon/ }).waitFor();
    await expectHeard('topics');

    await page.goto(`${base}/#/messages?pane=publish&to=maison%2Flampe`);
    await page.getByTestId('publish-receivers').getByText(/0/).waitFor();
    await page.getByTestId('publish-send').click();
    await page.getByTestId('publish-result').getByText('0x10').waitFor();
    await expectHeard('publish', 'main');

    await page.goto(`${base}/#/clients?client=capteur`);
    await page.getByTestId('client-detail').locator('.button.danger').first().click();
    await page.getByTestId('kick-confirm').waitFor();
    await expectHeard('kick');

    await page.goto(`${base}/#/topics?pane=retained`);
    await page.getByTestId('retained-count').getByText(/2/).waitFor();
    await page.locator('.button.danger').click();
    await page.getByTestId('delete-confirm').getByText(/2/).waitFor();
    await expectHeard('delete', 'dialog');
    await page.getByTestId('delete-confirm').click();
    await page.locator('.toast').waitFor();
    expect(await heard(page)).toContain(script.deleted);
  });

  test('is left in peace by a busy broker, and told the place in a list', { timeout: 120_000 }, async () => {
    const broker = await startConsoleBroker(resources);
    const sensor = await connect(resources, broker, { clientId: 'capteur' });
    const browser = await startBrowser(resources);
    const { page, base } = await openConsole(resources, browser, broker);
    await logIn(page);
    let sent = 0;
    const timer = setInterval(() => {
      for (let n = 0; n < 10; n++) sensor.publish(`maison/${sent % 500}`, String(sent++));
    }, 50);
    resources.add({ close: () => clearInterval(timer) });
    for (const link of ['#/messages', '#/topics?open=maison', '#/topics?topic=maison%2F1', '#/overview']) {
      await page.goto(`${base}/${link}`);
      await settled(page);
      // What changes in a live region is read aloud.
      const told = await page.evaluate<string[]>(`new Promise((resolve) => {
        const told = [];
        const seen = new MutationObserver((changes) => {
          for (const { target } of changes) {
            const region = (target.closest ? target : target.parentElement)?.closest('[role=status], [role=alert], [aria-live]');
            if (region) told.push(region.outerHTML);
          }
        });
        seen.observe(document.body, { subtree: true, childList: true, characterData: true });
        setTimeout(() => { seen.disconnect(); resolve(told); }, 2000);
      })`);
      expect(told.length, `${link}: ${told.join(' | ')}`).toBeLessThan(5);
    }
    await page.goto(`${base}/#/messages`);
    const rows = page.getByRole('listbox', { name: 'Messages' }).getByRole('option');
    await waitFor('many rows', async () => Number(await rows.last().getAttribute('aria-posinset')) > 100);
    expect(await rows.count()).toBeLessThan(100);
  });
});
